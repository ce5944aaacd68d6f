import type { Pixels } from '../pixels.js'
import type { PerChannel } from '../preprocessing.js'

/** Where pixel (x, y) of the result lies in the picture: (a·x + b·y + c, d·x + e·y + f), in pixels. */
export type AffineMap = readonly [a: number, b: number, c: number, d: number, e: number, f: number]

/**
 * Pillow's `Image.transform(size, AFFINE, map, BICUBIC)`: the size stays, and what comes from outside of the picture
 * gets the colour `fill` (0 … 255).
 */
export function affine({ width, height, values }: Pixels, map: AffineMap, fill: PerChannel): Pixels {
  const [a, b, c, d, e, f] = map
  const moved = new Uint8Array(values.length)
  let to = 0
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++, to += 3) {
      const x = a * (column + 0.5) + b * (row + 0.5) + c
      const y = d * (column + 0.5) + e * (row + 0.5) + f
      if (x >= 0 && x < width && y >= 0 && y < height) {
        writeCubic({ width, height, values }, x - 0.5, y - 0.5, moved, to)
      } else {
        moved[to] = fill[0]
        moved[to + 1] = fill[1]
        moved[to + 2] = fill[2]
      }
    }
  }
  return { width, height, values: moved }
}

/** @param x @param y distance from the middle of the first pixel */
function writeCubic(
  { width, height, values }: Pixels,
  x: number,
  y: number,
  output: Uint8Array,
  to: number,
): void {
  const column = Math.floor(x)
  const row = Math.floor(y)
  const across = x - column
  const down = y - row
  // the four columns and rows around; the outermost are repeated
  const c0 = 3 * clipped(column - 1, width)
  const c1 = 3 * clipped(column, width)
  const c2 = 3 * clipped(column + 1, width)
  const c3 = 3 * clipped(column + 2, width)
  const rowLength = 3 * width
  const r0 = rowLength * clipped(row - 1, height)
  const r1 = rowLength * clipped(row, height)
  const r2 = rowLength * clipped(row + 1, height)
  const r3 = rowLength * clipped(row + 2, height)
  for (let channel = 0; channel < 3; channel++) {
    // Shifts and shears along the rows hit rows exactly, and then the others count for nothing.
    const value =
      down === 0
        ? rowCubic(values, r1 + channel, c0, c1, c2, c3, across)
        : cubic(
            rowCubic(values, r0 + channel, c0, c1, c2, c3, across),
            rowCubic(values, r1 + channel, c0, c1, c2, c3, across),
            rowCubic(values, r2 + channel, c0, c1, c2, c3, across),
            rowCubic(values, r3 + channel, c0, c1, c2, c3, across),
            down,
          )
    // a byte array cuts fractions off, as C does
    output[to + channel] = Math.max(0, Math.min(255, value))
  }
}

/** {@link cubic} of four values of a row; positional, because it runs some hundred thousand times a picture. */
function rowCubic(
  values: Uint8Array,
  start: number,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
  at: number,
): number {
  return cubic(
    values[start + c0] as number,
    values[start + c1] as number,
    values[start + c2] as number,
    values[start + c3] as number,
    at,
  )
}

function clipped(index: number, length: number): number {
  return index < 0 ? 0 : index < length ? index : length - 1
}

/** The cubic that Pillow's transform puts through four neighbours (not the one of its resize), in its order. */
function cubic(v0: number, v1: number, v2: number, v3: number, at: number): number {
  const slope = -v0 + v2
  const bend = 2 * (v0 - v1) + v2 - v3
  const twist = -v0 + v1 - v2 + v3
  return v1 + at * (slope + at * (bend + at * twist))
}
