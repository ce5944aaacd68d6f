/** A filter to resample with: its weight at a distance, and the distance at which it ends. */
export interface ResamplingFilter {
  /** half width at scale 1, in samples */
  readonly support: number
  /** @param x signed distance from the centre, in samples at scale 1 */
  readonly weight: (x: number) => number
}

/** The samples that one output is made of. */
export interface ResamplingWindow {
  /** the first sample */
  readonly first: number
  /** of the first sample and those after it; their sum is 1 */
  readonly weights: Float64Array
}

/**
 * Which samples of an axis make output number `output`, and with what weights, in doubles in the order of Pillow's
 * `precompute_coeffs` (torch's antialiased interpolation computes the same): pixel centres aligned, the filter as wide as a
 * step of the coarser side.
 * @param axis `from` samples become `to`
 */
export function resamplingWindow(
  output: number,
  { from, to }: { readonly from: number; readonly to: number },
  { support, weight }: ResamplingFilter,
): ResamplingWindow {
  const scale = from / to
  // Shrinking widens the filter, so that every sample counts; enlarging leaves it at its own width.
  const filterScale = Math.max(scale, 1)
  const reach = support * filterScale
  const centre = (output + 0.5) * scale
  const first = Math.max(0, Math.trunc(centre - reach + 0.5))
  const end = Math.min(from, Math.trunc(centre + reach + 0.5))
  const weights = new Float64Array(end - first)
  let sum = 0
  for (let tap = 0; tap < weights.length; tap++) {
    const w = weight((first + tap - centre + 0.5) * (1 / filterScale))
    weights[tap] = w
    sum += w
  }
  for (let tap = 0; tap < weights.length; tap++) weights[tap] = (weights[tap] as number) / sum
  return { first, weights }
}

/**
 * Keys' cubic convolution with a = −0.5, multiplied out in Pillow's order so that the bits agree. torch takes it too when
 * antialias is on (and −0.75 when off).
 */
export const bicubic: ResamplingFilter = {
  support: 2,
  weight: (signed) => {
    const a = -0.5
    const x = Math.abs(signed)
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1
    if (x < 2) return (((x - 5) * x + 8) * x - 4) * a
    return 0
  },
}
