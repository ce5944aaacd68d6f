import { resamplingWindow } from '../base/resampling.js'
import { type FilterName, filters } from './filters.js'
import { type Steps, unitsPerStep } from './steps.js'

/** Binary places of a weight: Pillow keeps 8 bits for the result and 2 for overshoot out of 32. */
const weightBits = 22

/** A sine and a division count as many multiply-adds. */
const operationsPerWeight = 50

/** For each wanted output position along one axis: which inputs it reads, and with what weights. */
export interface ResamplingWeights {
  /** first input of each output, `[outputs]` */
  readonly starts: Int32Array
  /** number of inputs of each output, `[outputs]` */
  readonly counts: Int32Array
  /** fixed point with 22 binary places, `[outputs, stride]` */
  readonly weights: Int32Array
  readonly stride: number
}

// Pictures of one camera or data set have few sizes; 5 kB each.
const keptAxes = 64
const kept = new Map<string, ResamplingWeights>()

/**
 * The weights for scaling one axis as Pillow has them, rounded to fixed point; in steps of a few outputs, because the first
 * calls of a process are slow. Those of the last sizes are kept.
 * @param axis `from` pixels become `to`; only outputs `first … first + count − 1` are wanted
 */
export function* resamplingWeights(
  { from, to, first, count }: { from: number; to: number; first: number; count: number },
  { filter }: { filter: FilterName },
): Steps<ResamplingWeights> {
  const key = [from, to, first, count, filter].join(' ')
  const known = kept.get(key)
  if (known) return known
  const stride = Math.ceil(filters[filter].support * Math.max(from / to, 1)) * 2 + 1
  const starts = new Int32Array(count)
  const counts = new Int32Array(count)
  const weights = new Int32Array(count * stride)
  const outputsPerStep = unitsPerStep(operationsPerWeight * stride)

  for (let output = 0; output < count; output++) {
    const window = resamplingWindow(first + output, { from, to }, filters[filter])
    starts[output] = window.first
    counts[output] = window.weights.length
    for (const [tap, share] of window.weights.entries()) {
      weights[output * stride + tap] = Math.trunc(share * 2 ** weightBits + (share < 0 ? -0.5 : 0.5))
    }
    if (output % outputsPerStep === 0) yield
  }
  const [oldest] = kept.keys()
  if (kept.size >= keptAxes && oldest !== undefined) kept.delete(oldest)
  kept.set(key, { starts, counts, weights, stride })
  return { starts, counts, weights, stride }
}

/** The inputs that any of the outputs reads: `[first, end)`. */
export function inputRange({ starts, counts }: ResamplingWeights): { first: number; end: number } {
  // Windows move monotonically, so the outermost outputs bound them all.
  const last = starts.length - 1
  return { first: starts[0] as number, end: (starts[last] as number) + (counts[last] as number) }
}
