import { throwIfAborted } from '../../base/blvit-error.js'

/** A function's value and its slope at a point. */
export interface Evaluated {
  readonly value: number
  readonly gradient: Float64Array
}

export interface MinimiseOptions {
  /** Ends when an iteration lowers the value by less than this share of it. Default 1e-6: what sums in float32 can tell. */
  readonly tolerance?: number
  /** Default 200. */
  readonly iterations?: number
  readonly signal?: AbortSignal | undefined
}

/** How many steps the shape of the function is remembered from (Nocedal and Wright say 3 to 20). */
const memory = 10
/** A step must give this share of what the slope promises (Armijo); else it is halved, so many times. */
const leastGain = 1e-4
const halvings = 20

interface Pair {
  readonly step: Float64Array
  readonly change: Float64Array
  /** 1 ÷ their product. */
  readonly scale: number
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] as number) * (b[i] as number)
  return sum
}

/** `a + scale·b` */
function moved(a: Float64Array, b: Float64Array, scale: number): Float64Array {
  return a.map((value, i) => value + scale * (b[i] as number))
}

/** Two loops (Nocedal and Wright, *Numerical Optimization*, algorithm 7.4). */
function direction(gradient: Float64Array, pairs: readonly Pair[]): Float64Array {
  let q: Float64Array = gradient.map((value) => -value)
  const alphas: number[] = []
  for (const { step, change, scale } of pairs.toReversed()) {
    const alpha = scale * dot(step, q)
    alphas.push(alpha)
    q = moved(q, change, -alpha)
  }
  const last = pairs.at(-1)
  if (last) {
    const curvature = 1 / (last.scale * dot(last.change, last.change))
    q = q.map((value) => value * curvature)
  }
  for (const { step, change, scale } of pairs) {
    const alpha = alphas.pop() ?? 0
    q = moved(q, step, alpha - scale * dot(change, q))
  }
  return q
}

/**
 * Finds the least value of a smooth convex function by L-BFGS (Liu and Nocedal 1989).
 * @param start where to begin
 * @throws BlvitError `ABORTED`
 */
export async function minimise(
  evaluate: (point: Float64Array) => Promise<Evaluated>,
  start: Float64Array,
  { tolerance = 1e-6, iterations = 200, signal }: MinimiseOptions = {},
): Promise<Float64Array> {
  let point = start
  let now = await evaluate(point)
  const pairs: Pair[] = []
  for (let iteration = 0; iteration < iterations; iteration++) {
    throwIfAborted(signal)
    const way = direction(now.gradient, pairs)
    const slope = dot(now.gradient, way)
    if (!(slope < 0)) return point
    // without a past the slope's length says nothing about how far to go
    let length = pairs.length === 0 ? Math.min(1, 1 / Math.sqrt(-slope)) : 1
    let next = moved(point, way, length)
    let there = await evaluate(next)
    for (let i = 0; i < halvings && !(there.value <= now.value + leastGain * length * slope); i++) {
      length /= 2
      next = moved(point, way, length)
      there = await evaluate(next)
    }
    const gain = now.value - there.value
    if (!(gain > 0)) return point
    const step = moved(next, point, -1)
    const change = moved(there.gradient, now.gradient, -1)
    const product = dot(step, change)
    if (product > 0) pairs.push({ step, change, scale: 1 / product })
    if (pairs.length > memory) pairs.shift()
    point = next
    now = there
    if (gain <= tolerance * Math.abs(now.value)) return point
  }
  return point
}
