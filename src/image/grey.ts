import type { Pixels } from './pixels.js'

/** Pillow's `convert('L')`: ITU-R 601 luma in 16 binary places. @param i the pixel's red */
export function greyAt(values: Uint8Array, i: number): number {
  const red = values[i] as number
  const green = values[i + 1] as number
  const blue = values[i + 2] as number
  return (red * 19_595 + green * 38_470 + blue * 7_471 + 0x8000) >> 16
}

/** The brightness of each pixel in all three channels. Pillow makes a picture grey before it resizes it. */
export function greyed({ width, height, values }: Pixels): Pixels {
  const grey = new Uint8Array(values.length)
  for (let i = 0; i < values.length; i += 3) grey.fill(greyAt(values, i), i, i + 3)
  return { width, height, values: grey }
}
