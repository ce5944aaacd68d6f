import { assert } from '../base/assert.js'
import type { FilterName } from './filters.js'
import type { Pixels } from './pixels.js'
import { inputRange, type ResamplingWeights, resamplingWeights, weightBits } from './resampling-weights.js'
import { runAtOnce, type Steps, unitsPerStep } from './steps.js'

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

const half = 1 << (weightBits - 1)

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

/** Computes the wanted columns of the rows that the second pass will read. */
function* resampleColumns(
  pixels: Pixels,
  rows: { first: number; end: number },
  columns: ResamplingWeights,
): Steps<Pixels> {
  const width = columns.starts.length
  const height = rows.end - rows.first
  // clamped: it does the clipping to 0 … 255
  const values = new Uint8ClampedArray(width * height * 3)
  const rowsPerStep = unitsPerStep(3 * width * columns.stride)
  for (let row = 0; row < height; row++) {
    writeNarrowedRow(pixels, rows.first + row, columns, values.subarray(row * width * 3))
    if (row % rowsPerStep === 0) yield
  }
  return { width, height, values: new Uint8Array(values.buffer) }
}

/** One row of the picture, weighted and added along the row. */
function writeNarrowedRow(
  { width, values: source }: Pixels,
  row: number,
  { starts, counts, weights, stride }: ResamplingWeights,
  output: Uint8ClampedArray,
): void {
  const rowStart = row * width
  let to = 0
  for (let column = 0; column < starts.length; column++) {
    let red = half
    let green = half
    let blue = half
    let from = (rowStart + (starts[column] as number)) * 3
    let tap = column * stride
    const end = tap + (counts[column] as number)
    for (; tap < end; tap++, from += 3) {
      const weight = weights[tap] as number
      // | 0: a sum stays below 2³¹, and the engine needn't check that
      red = (red + Math.imul(weight, source[from] as number)) | 0
      green = (green + Math.imul(weight, source[from + 1] as number)) | 0
      blue = (blue + Math.imul(weight, source[from + 2] as number)) | 0
    }
    output[to] = red >> weightBits
    output[to + 1] = green >> weightBits
    output[to + 2] = blue >> weightBits
    to += 3
  }
}

/** @param offset the row of the picture that `pixels` starts with */
function* resampleRows(pixels: Pixels, offset: number, rows: ResamplingWeights): Steps<Pixels> {
  const height = rows.starts.length
  const rowLength = pixels.width * 3
  const values = new Uint8ClampedArray(height * rowLength)
  const rowsPerStep = unitsPerStep(rowLength * rows.stride)
  for (let row = 0; row < height; row++) {
    writeShortenedRow(pixels, offset, rows, row, values.subarray(row * rowLength))
    if (row % rowsPerStep === 0) yield
  }
  return { width: pixels.width, height, values: new Uint8Array(values.buffer) }
}

/** One row of the result: rows of the picture, weighted and added. */
function writeShortenedRow(
  pixels: Pixels,
  offset: number,
  { starts, counts, weights, stride }: ResamplingWeights,
  row: number,
  output: Uint8ClampedArray,
): void {
  const source = pixels.values
  const rowLength = pixels.width * 3
  const firstTap = row * stride
  const end = firstTap + (counts[row] as number)
  const rowStart = ((starts[row] as number) - offset) * rowLength
  for (let column = 0; column < rowLength; column += 3) {
    let red = half
    let green = half
    let blue = half
    let from = rowStart + column
    for (let tap = firstTap; tap < end; tap++, from += rowLength) {
      const weight = weights[tap] as number
      red = (red + Math.imul(weight, source[from] as number)) | 0
      green = (green + Math.imul(weight, source[from + 1] as number)) | 0
      blue = (blue + Math.imul(weight, source[from + 2] as number)) | 0
    }
    output[column] = red >> weightBits
    output[column + 1] = green >> weightBits
    output[column + 2] = blue >> weightBits
  }
}
