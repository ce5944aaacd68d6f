import { assert } from '../base/assert.js'

/** Rows and columns of a patch grid. */
export type GridSize = readonly [rows: number, columns: number]

export interface ResampleOptions {
  /** Tokens before the patches (cls, dist), kept as they are. */
  readonly prefix: number
  /** The grid that the embedding was trained for. */
  readonly from: GridSize
  /** The grid to make it for. */
  readonly to: GridSize
  /** Channels of a token. */
  readonly width: number
  /**
   * Widen the filter where the grid shrinks. Default true, as timm has it; transformers' DINOv2 doesn't, and takes another
   * cubic.
   */
  readonly antialias?: boolean
}

/**
 * Resamples a learned position embedding to another patch grid as timm (≥ 0.8) does: bicubic with antialias,
 * pixel centres aligned (`F.interpolate(mode='bicubic', antialias=True, align_corners=False)`).
 * @param values [prefix + from rows · from columns, width], row-major
 * @returns [prefix + to rows · to columns, width]
 */
export function resamplePositionEmbedding(
  values: Float32Array,
  { prefix, from, to, width, antialias = true }: ResampleOptions,
): Float32Array {
  const tapsOf = antialias ? smoothTaps : plainTaps
  const [fromRows, fromColumns] = from
  const [toRows, toColumns] = to
  assert(
    values.length === (prefix + fromRows * fromColumns) * width,
    `position embedding has ${values.length} values, not (${prefix} + ${fromRows}·${fromColumns})·${width}`,
  )
  const resampled = new Float32Array((prefix + toRows * toColumns) * width)
  resampled.set(values.subarray(0, prefix * width))
  const grid = values.subarray(prefix * width) // [fromRows, fromColumns, width]
  // [fromRows, toColumns, width]: each row on its own, its columns are the axis
  const wide = resampleAxis(grid, { outer: fromRows, from: fromColumns, to: toColumns, inner: width, tapsOf })
  // [toRows, toColumns, width]: the rows are the axis, a whole row of tokens moves together
  const both = resampleAxis(wide, {
    ...{ outer: 1, from: fromRows, to: toRows, inner: toColumns * width, tapsOf },
  })
  resampled.set(both, prefix * width)
  return resampled
}

/** [outer, from, inner] → [outer, to, inner]; sums in double precision. */
function resampleAxis(
  values: ArrayLike<number>,
  {
    outer,
    from,
    to,
    inner,
    tapsOf,
  }: { outer: number; from: number; to: number; inner: number; tapsOf: TapsOf },
): Float64Array {
  const taps = Array.from({ length: to }, (_, i) => tapsOf(i, { from, to }))
  const result = new Float64Array(outer * to * inner)
  for (let o = 0; o < outer; o++) {
    taps.forEach(({ first, weights }, i) => {
      const target = (o * to + i) * inner
      weights.forEach((weight, j) => {
        // smooth taps stay inside; plain ones repeat the border
        const sample = Math.min(Math.max(first + j, 0), from - 1)
        const origin = (o * from + sample) * inner
        for (let c = 0; c < inner; c++) {
          result[target + c] = (result[target + c] as number) + weight * (values[origin + c] as number)
        }
      })
    })
  }
  return result
}

/** Which samples make output sample `i`, and with what weights. */
type TapsOf = (
  i: number,
  sizes: { from: number; to: number },
) => { readonly first: number; readonly weights: readonly number[] }

/** Without antialias: four samples, whatever the scale. */
const plainTaps: TapsOf = (i, { from, to }) => {
  const centre = (from / to) * (i + 0.5) - 0.5
  const first = Math.floor(centre) - 1
  return { first, weights: Array.from({ length: 4 }, (_, j) => cubic(first + j - centre, -0.75)) }
}

/** With antialias. The cubic reaches two (scaled) steps each way. */
const smoothTaps: TapsOf = (i, { from, to }) => {
  const scale = from / to
  // Antialias: when shrinking, the filter widens to cover every input sample.
  const stretch = Math.max(scale, 1)
  const support = 2 * stretch
  const centre = scale * (i + 0.5)
  const first = Math.max(Math.trunc(centre - support + 0.5), 0)
  const end = Math.min(Math.trunc(centre + support + 0.5), from)
  const raw = Array.from({ length: end - first }, (_, j) => cubic((first + j - centre + 0.5) / stretch, -0.5))
  const sum = raw.reduce((total, weight) => total + weight, 0)
  return { first, weights: raw.map((weight) => weight / sum) }
}

/** Keys' cubic convolution: torch takes a = −0.5, as Pillow does, when antialias is on and −0.75 when it is off. */
function cubic(distance: number, a: number): number {
  const x = Math.abs(distance)
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a
  return 0
}
