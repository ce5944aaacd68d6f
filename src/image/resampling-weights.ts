import { type FilterName, filters } from './filters.js'
import { type Steps, unitsPerStep } from './steps.js'

/** Binary places of a weight: Pillow keeps 8 bits for the result and 2 for overshoot out of 32. */
export const weightBits = 22

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

/**
 * The weights for scaling one axis, computed as Pillow's `precompute_coeffs` does: doubles in the same order
 * of operations, then rounded to fixed point; in steps of a few outputs, because the first calls of a process are slow.
 * @param axis `from` pixels become `to`; only outputs `first … first + count − 1` are wanted
 */
export function* resamplingWeights(
  { from, to, first, count }: { from: number; to: number; first: number; count: number },
  { filter }: { filter: FilterName },
): Steps<ResamplingWeights> {
  const { support, weight } = filters[filter]
  const scale = from / to
  // Shrinking widens the filter, so that every input counts; enlarging leaves it at its own width.
  const filterScale = Math.max(scale, 1)
  const reach = support * filterScale
  const stride = Math.ceil(reach) * 2 + 1
  const starts = new Int32Array(count)
  const counts = new Int32Array(count)
  const weights = new Int32Array(count * stride)
  const window = new Float64Array(stride)
  const outputsPerStep = unitsPerStep(operationsPerWeight * stride)

  for (let output = 0; output < count; output++) {
    const centre = (first + output + 0.5) * scale
    const start = Math.max(0, Math.trunc(centre - reach + 0.5))
    const end = Math.min(from, Math.trunc(centre + reach + 0.5))
    let sum = 0
    for (let x = start; x < end; x++) {
      const w = weight((x - centre + 0.5) * (1 / filterScale))
      window[x - start] = w
      sum += w
    }
    starts[output] = start
    counts[output] = end - start
    for (let tap = 0; tap < end - start; tap++) {
      const share = (window[tap] as number) / sum
      weights[output * stride + tap] = Math.trunc(share * 2 ** weightBits + (share < 0 ? -0.5 : 0.5))
    }
    if (output % outputsPerStep === 0) yield
  }
  return { starts, counts, weights, stride }
}

/** The inputs that any of the outputs reads: `[first, end)`. */
export function inputRange({ starts, counts }: ResamplingWeights): { first: number; end: number } {
  // Windows move monotonically, so the outermost outputs bound them all.
  const last = starts.length - 1
  return { first: starts[0] as number, end: (starts[last] as number) + (counts[last] as number) }
}
