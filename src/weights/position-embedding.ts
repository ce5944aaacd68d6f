import { assert } from '../base/assert.js'
import { bicubic, type ResamplingWindow, resamplingWindow } from '../base/resampling.js'

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
  const windowOf = antialias ? smoothWindow : plainWindow
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
  const wide = resampleAxis(grid, {
    outer: fromRows,
    from: fromColumns,
    to: toColumns,
    inner: width,
    windowOf,
  })
  // [toRows, toColumns, width]: the rows are the axis, a whole row of tokens moves together
  const both = resampleAxis(wide, {
    ...{ outer: 1, from: fromRows, to: toRows, inner: toColumns * width, windowOf },
  })
  resampled.set(both, prefix * width)
  return resampled
}

/** Which samples make output sample `i`, and with what weights. */
type WindowOf = (i: number, sizes: { from: number; to: number }) => ResamplingWindow

/** With antialias, as torch and Pillow have it. */
const smoothWindow: WindowOf = (i, sizes) => resamplingWindow(i, sizes, bicubic)

/** Without: torch then takes four samples, whatever the scale, by Keys' cubic with a = −0.75. */
const plainWindow: WindowOf = (i, { from, to }) => {
  const centre = (from / to) * (i + 0.5) - 0.5
  const first = Math.floor(centre) - 1
  return { first, weights: Float64Array.from({ length: 4 }, (_, j) => sharpCubic(first + j - centre)) }
}

function sharpCubic(distance: number): number {
  const a = -0.75
  const x = Math.abs(distance)
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
}

/** [outer, from, inner] → [outer, to, inner]; sums in double precision. */
function resampleAxis(
  values: ArrayLike<number>,
  {
    outer,
    from,
    to,
    inner,
    windowOf,
  }: { outer: number; from: number; to: number; inner: number; windowOf: WindowOf },
): Float64Array {
  const windows = Array.from({ length: to }, (_, i) => windowOf(i, { from, to }))
  const result = new Float64Array(outer * to * inner)
  for (let o = 0; o < outer; o++) {
    windows.forEach(({ first, weights }, i) => {
      const target = (o * to + i) * inner
      weights.forEach((weight, j) => {
        // smooth windows stay inside; plain ones repeat the border
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
