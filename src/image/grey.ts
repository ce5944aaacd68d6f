import type { Pixels } from './pixels.js'

/**
 * The brightness of each pixel in all three channels, by Pillow's formula for mode L: ITU-R 601-2 in whole numbers.
 * Pillow makes a picture grey before it resizes it.
 */
export function greyed({ width, height, values }: Pixels): Pixels {
  const grey = new Uint8Array(values.length)
  for (let i = 0; i < values.length; i += 3) {
    const [red, green, blue] = [values[i] as number, values[i + 1] as number, values[i + 2] as number]
    const brightness = (19_595 * red + 38_470 * green + 7_471 * blue + 0x8000) >> 16
    grey.fill(brightness, i, i + 3)
  }
  return { width, height, values: grey }
}
