import { assert } from '../base/assert.js'
import type { FilterName } from './filters.js'
import { narrowRows, shortenRows } from './pixel-kernel.js'
import type { Pixels } from './pixels.js'
import { inputRange, type ResamplingWeights, resamplingWeights } from './resampling-weights.js'
import { runAtOnce, type Steps } from './steps.js'

/** A rectangle of pixels. */
export interface Region {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

export interface ResizeOptions {
  /** size of the whole result, in pixels */
  readonly width: number
  readonly height: number
  readonly filter: FilterName
  /** the part of the result that is wanted (default: all of it); only this part is computed */
  readonly region?: Region
}

/**
 * Scales a picture to exactly `width` × `height`, byte for byte as Pillow's `Image.resize` does: columns first,
 * rounded to 8 bits, then rows; an axis whose length stays is left alone.
 * @returns the region of the result, the same bytes as the whole result would have there
 */
export function resize(pixels: Pixels, options: ResizeOptions): Pixels {
  return runAtOnce(resizeSteps(pixels, options))
}

/** {@link resize} in steps of a few rows. */
export function* resizeSteps(
  pixels: Pixels,
  { width, height, filter, region }: ResizeOptions,
): Steps<Pixels> {
  const wanted = region ?? { left: 0, top: 0, width, height }
  assert(
    wanted.left >= 0 &&
      wanted.left + wanted.width <= width &&
      wanted.top >= 0 &&
      wanted.top + wanted.height <= height,
    `region ${JSON.stringify(wanted)} outside the ${width} × ${height} result`,
  )
  if (wanted.width === 0 || wanted.height === 0) {
    return { width: wanted.width, height: wanted.height, values: new Uint8Array(0) }
  }
  const rowAxis = { from: pixels.height, to: height, first: wanted.top, count: wanted.height }
  const rowWeights = height === pixels.height ? undefined : yield* resamplingWeights(rowAxis, { filter })
  const rows = rowWeights ? inputRange(rowWeights) : { first: wanted.top, end: wanted.top + wanted.height }

  const columnAxis = { from: pixels.width, to: width, first: wanted.left, count: wanted.width }
  const narrowed =
    width === pixels.width
      ? crop(pixels, {
          left: wanted.left,
          top: rows.first,
          width: wanted.width,
          height: rows.end - rows.first,
        })
      : yield* resampleColumns(pixels, rows, yield* resamplingWeights(columnAxis, { filter }))
  return rowWeights ? yield* resampleRows(narrowed, rows.first, rowWeights) : narrowed
}

/** Copies a rectangle out of a picture. */
export function crop(pixels: Pixels, { left, top, width, height }: Region): Pixels {
  const values = new Uint8Array(width * height * 3)
  for (let row = 0; row < height; row++) {
    const from = ((top + row) * pixels.width + left) * 3
    values.set(pixels.values.subarray(from, from + width * 3), row * width * 3)
  }
  return { width, height, values }
}

// 0.1 ms; much shorter steps would only copy
const multiplyAddsPerStep = 400_000

function rowsPerStep(multiplyAddsPerRow: number): number {
  return Math.max(1, Math.floor(multiplyAddsPerStep / multiplyAddsPerRow))
}

/** Computes the wanted columns of the rows that the second pass will read. */
function* resampleColumns(
  { width: from, values: source }: Pixels,
  rows: { first: number; end: number },
  columns: ResamplingWeights,
): Steps<Pixels> {
  const width = columns.starts.length
  const height = rows.end - rows.first
  const values = new Uint8Array(width * height * 3)
  const most = rowsPerStep(3 * width * columns.stride)
  for (let row = 0; row < height; row += most) {
    const size = { width: from, rows: Math.min(most, height - row) }
    const first = 3 * from * (rows.first + row)
    const band = source.subarray(first, first + 3 * from * size.rows)
    narrowRows(band, size, columns, values.subarray(3 * width * row, 3 * width * (row + size.rows)))
    yield
  }
  return { width, height, values }
}

/** @param offset the row of the picture that `pixels` starts with */
function* resampleRows(
  { width, values: source }: Pixels,
  offset: number,
  rows: ResamplingWeights,
): Steps<Pixels> {
  const height = rows.starts.length
  const rowLength = width * 3
  const values = new Uint8Array(height * rowLength)
  const most = rowsPerStep(rowLength * rows.stride)
  for (let first = 0; first < height; first += most) {
    const count = Math.min(most, height - first)
    const target = values.subarray(first * rowLength, (first + count) * rowLength)
    shortenRows(source, { offset, rowLength, first, count }, rows, target)
    yield
  }
  return { width, height, values }
}
