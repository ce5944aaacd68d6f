import type { Size } from '../image/crop-window.js'
import type { Region } from '../image/resize.js'

/** A part of a picture that is looked at as a picture of its own. */
export interface Crop extends Region {
  /** 0: the whole picture; layer i has 2ⁱ × 2ⁱ crops */
  readonly layer: number
}

/** By how much of the shorter side two crops of the first layer overlap (segment-anything's 512 of 1500 pixels). */
const usualOverlap = 512 / 1500

/** The whole picture, then crops of ever finer layers, column by column. */
export function cropsOf(
  { height, width }: Size,
  { layers, overlap = usualOverlap }: { readonly layers: number; readonly overlap?: number | undefined },
): Crop[] {
  const crops: Crop[] = [{ layer: 0, left: 0, top: 0, height, width }]
  for (let layer = 1; layer <= layers; layer++) {
    const sides = 2 ** layer
    const shared = Math.floor((overlap * Math.min(height, width) * 2) / sides)
    const side = (length: number) => Math.ceil((shared * (sides - 1) + length) / sides)
    const [cropHeight, cropWidth] = [side(height), side(width)]
    for (let column = 0; column < sides; column++) {
      for (let row = 0; row < sides; row++) {
        const [left, top] = [(cropWidth - shared) * column, (cropHeight - shared) * row]
        crops.push({
          layer,
          left,
          top,
          width: Math.min(left + cropWidth, width) - left,
          height: Math.min(top + cropHeight, height) - top,
        })
      }
    }
  }
  return crops
}

/** Middles of n × n cells of the unit square, row by row. @returns `[n², 2]`, x and y */
export function pointGrid(perSide: number): Float64Array {
  const points = new Float64Array(2 * perSide ** 2)
  for (let at = 0; at < perSide ** 2; at++) {
    points[2 * at] = ((at % perSide) + 0.5) / perSide
    points[2 * at + 1] = (Math.floor(at / perSide) + 0.5) / perSide
  }
  return points
}
