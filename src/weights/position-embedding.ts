import { assert } from '../base/assert.js'
import { bicubic, resamplingWindow } from '../base/resampling.js'

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
}

/**
 * Resamples a learned position embedding to another patch grid as timm (≥ 0.8) does: bicubic with antialias,
 * pixel centres aligned (`F.interpolate(mode='bicubic', antialias=True, align_corners=False)`).
 * @param values [prefix + from rows · from columns, width], row-major
 * @returns [prefix + to rows · to columns, width]
 */
export function resamplePositionEmbedding(
  values: Float32Array,
  { prefix, from, to, width }: ResampleOptions,
): Float32Array {
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
  const wide = resampleAxis(grid, { outer: fromRows, from: fromColumns, to: toColumns, inner: width })
  // [toRows, toColumns, width]: the rows are the axis, a whole row of tokens moves together
  const both = resampleAxis(wide, { outer: 1, from: fromRows, to: toRows, inner: toColumns * width })
  resampled.set(both, prefix * width)
  return resampled
}

/** [outer, from, inner] → [outer, to, inner]; sums in double precision. */
function resampleAxis(
  values: ArrayLike<number>,
  { outer, from, to, inner }: { outer: number; from: number; to: number; inner: number },
): Float64Array {
  const windows = Array.from({ length: to }, (_, i) => resamplingWindow(i, { from, to }, bicubic))
  const result = new Float64Array(outer * to * inner)
  for (let o = 0; o < outer; o++) {
    windows.forEach(({ first, weights }, i) => {
      const target = (o * to + i) * inner
      weights.forEach((weight, j) => {
        const origin = (o * from + first + j) * inner
        for (let c = 0; c < inner; c++) {
          result[target + c] = (result[target + c] as number) + weight * (values[origin + c] as number)
        }
      })
    })
  }
  return result
}
