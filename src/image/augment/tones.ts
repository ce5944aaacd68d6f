import type { Pixels } from '../pixels.js'
import { withToneCurve } from './tone-curve.js'

/** The negative: Pillow's `ImageOps.invert`. */
export function invert(pixels: Pixels): Pixels {
  return withToneCurve(pixels, (value) => 255 - value)
}

/** The negative of what is at least as bright as the threshold (0 … 256): `ImageOps.solarize`. */
export function solarize(pixels: Pixels, threshold: number): Pixels {
  return withToneCurve(pixels, (value) => (value < threshold ? value : 255 - value))
}

// timm's: half of the range is brightened
const darkHalf = 128

/** Brightens the darker half by so many grey levels: timm's `solarize_add`, after AutoAugment. */
export function solarizeAdd(pixels: Pixels, addend: number): Pixels {
  return withToneCurve(pixels, (value) => (value < darkHalf ? value + addend : value))
}

/** Keeps the highest `bits` (0 … 8) of each value: `ImageOps.posterize`. */
export function posterize(pixels: Pixels, bits: number): Pixels {
  const mask = 0xff ^ (2 ** (8 - bits) - 1)
  return withToneCurve(pixels, (value) => value & mask)
}
