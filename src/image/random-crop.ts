import type { Size } from './crop-window.js'
import type { Pixels } from './pixels.js'
import { crop, type Region, resize } from './resize.js'

// torchvision's and timm's values: a crop has between 8 % and all of the area, its sides a ratio of 3:4 to 4:3.
const areas = { least: 0.08, most: 1 } as const
const ratios = { least: 3 / 4, most: 4 / 3 } as const
// So often a crop is drawn that must fit into the picture; then the largest one in its middle is taken.
const attempts = 10

function between(least: number, most: number, random: () => number): number {
  return least + (most - least) * random()
}

/**
 * Where a random crop lies, as torchvision's `RandomResizedCrop` draws it (the distribution, not its numbers).
 * @param random uniform in [0, 1)
 */
export function drawCrop({ height, width }: Size, random: () => number): Region {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const area = height * width * between(areas.least, areas.most, random)
    const ratio = Math.exp(between(Math.log(ratios.least), Math.log(ratios.most), random))
    const wide = Math.round(Math.sqrt(area * ratio))
    const high = Math.round(Math.sqrt(area / ratio))
    if (wide < 1 || high < 1 || wide > width || high > height) continue
    return {
      left: Math.floor(random() * (width - wide + 1)),
      top: Math.floor(random() * (height - high + 1)),
      width: wide,
      height: high,
    }
  }
  const wide = Math.min(width, Math.max(1, Math.round(height * ratios.most)))
  const high = Math.min(height, Math.max(1, Math.round(width / ratios.least)))
  return {
    left: Math.floor((width - wide) / 2),
    top: Math.floor((height - high) / 2),
    width: wide,
    height: high,
  }
}

/** The picture in a mirror: left becomes right. */
export function mirrored({ width, height, values }: Pixels): Pixels {
  const flipped = new Uint8Array(values.length)
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const from = (row * width + column) * 3
      flipped.set(values.subarray(from, from + 3), (row * width + width - 1 - column) * 3)
    }
  }
  return { width, height, values: flipped }
}

/**
 * What training sees of a picture: a random crop, resized to the model's input with Pillow's bicubic filter, in every
 * second case in a mirror.
 */
export function randomResizedCrop(pixels: Pixels, size: Size, random: () => number): Pixels {
  const { height, width } = size
  const resized = resize(crop(pixels, drawCrop(pixels, random)), { height, width, filter: 'bicubic' })
  return random() < 0.5 ? mirrored(resized) : resized
}
