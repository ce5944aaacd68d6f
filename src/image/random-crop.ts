import type { Size } from './crop-window.js'
import type { Pixels } from './pixels.js'
import { crop, type Region, resize } from './resize.js'

export interface RandomCropOptions {
  /** Least and largest share of the picture's area. Default 0.08 and 1, torchvision's and timm's. */
  readonly scale?: readonly [number, number] | undefined
  /** Least and largest width for a height of 1. Default 3/4 and 4/3. */
  readonly ratio?: readonly [number, number] | undefined
}

// So often a crop is drawn that must fit into the picture; then the largest one in its middle is taken.
const attempts = 10

function between(least: number, most: number, random: () => number): number {
  return least + (most - least) * random()
}

/**
 * Where a random crop lies, as torchvision's `RandomResizedCrop` draws it (the distribution, not its numbers).
 * @param random uniform in [0, 1)
 */
export function drawCrop(
  { height, width }: Size,
  random: () => number,
  { scale = [0.08, 1], ratio: ratios = [3 / 4, 4 / 3] }: RandomCropOptions = {},
): Region {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const area = height * width * between(...scale, random)
    const ratio = Math.exp(between(Math.log(ratios[0]), Math.log(ratios[1]), random))
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
  const wide = Math.min(width, Math.max(1, Math.round(height * ratios[1])))
  const high = Math.min(height, Math.max(1, Math.round(width / ratios[0])))
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
  const rowLength = width * 3
  for (let row = 0; row < height; row++) {
    let to = row * rowLength + rowLength - 3
    for (let from = row * rowLength; from < (row + 1) * rowLength; from += 3, to -= 3) {
      flipped[to] = values[from] as number
      flipped[to + 1] = values[from + 1] as number
      flipped[to + 2] = values[from + 2] as number
    }
  }
  return { width, height, values: flipped }
}

/** A random crop, resized to the model's input with Pillow's bicubic filter. */
export function resizedCrop(
  pixels: Pixels,
  { height, width }: Size,
  random: () => number,
  options: RandomCropOptions = {},
): Pixels {
  return resize(crop(pixels, drawCrop(pixels, random, options)), { height, width, filter: 'bicubic' })
}

/** The picture moved by up to `padding` pixels each way; what comes from outside is black. The size stays. */
export function shiftedCrop(
  { height, width, values }: Pixels,
  padding: number,
  random: () => number,
): Pixels {
  const draw = () => Math.floor(random() * (2 * padding + 1)) - padding
  const [down, across] = [draw(), draw()]
  const shifted = new Uint8Array(values.length)
  const [first, end] = [Math.max(0, across), Math.min(width, width + across)]
  if (first >= end) return { height, width, values: shifted }
  for (let row = Math.max(0, down); row < Math.min(height, height + down); row++) {
    const from = ((row - down) * width - across) * 3
    shifted.set(values.subarray(from + first * 3, from + end * 3), (row * width + first) * 3)
  }
  return { height, width, values: shifted }
}
