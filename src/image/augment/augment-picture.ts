import type { Random } from '../../base/random.js'
import { roundHalfToEven } from '../crop-window.js'
import { greyed } from '../grey.js'
import type { Pixels } from '../pixels.js'
import {
  channelsOf,
  normalise,
  type PerChannel,
  type Preprocessing,
  resizeAndCrop,
} from '../preprocessing.js'
import { mirrored, resizedCrop, shiftedCrop } from '../random-crop.js'
import type { Augmentation } from './augmentation.js'
import { colorJitter } from './color-jitter.js'
import { randAugment } from './rand-augment.js'
import { eraseRegion } from './random-erasing.js'

/** What moved pictures leave free gets the mean colour, as timm has it. */
function meanColour({ mean }: Preprocessing): PerChannel {
  const byte = (value: number) => Math.max(0, Math.min(255, roundHalfToEven(255 * value)))
  return [byte(mean[0]), byte(mean[1] ?? mean[0]), byte(mean[2] ?? mean[0])]
}

/** Brings a picture to the model's size. */
function cropped(
  pixels: Pixels,
  preprocessing: Preprocessing,
  crop: Augmentation['crop'],
  random: Random,
): Pixels {
  if (crop === false) return resizeAndCrop(pixels, preprocessing)
  if ('padding' in crop) {
    // all of the picture, moved; not its middle, enlarged
    const whole = resizeAndCrop(pixels, { ...preprocessing, cropRatio: 1 })
    return shiftedCrop(whole, crop.padding, random)
  }
  const shown = channelsOf(preprocessing) === 1 ? greyed(pixels) : pixels
  return resizedCrop(shown, preprocessing, random, crop)
}

/**
 * Everything that happens to one picture, in timm's order: crop, mirror, RandAugment and jitter on bytes, as Pillow
 * computes them; then normalising; then erasing, whose noise is in the units of normalised pixels.
 * @param random uniform in [0, 1); the same numbers give the same bits
 * @returns `[channels, height, width]`
 */
export function augmentPicture(
  pixels: Pixels,
  {
    preprocessing,
    augmentation,
  }: { readonly preprocessing: Preprocessing; readonly augmentation: Augmentation },
  random: Random,
): Float32Array {
  const { crop, flip, randAugment: layers, colorJitter: jitter, erasing } = augmentation
  let picture = cropped(pixels, preprocessing, crop, random)
  if (flip && random() < 0.5) picture = mirrored(picture)
  if (layers) picture = randAugment(picture, { ...layers, fill: meanColour(preprocessing) }, random)
  if (jitter) picture = colorJitter(picture, jitter, random)
  const input = normalise(picture, preprocessing)
  if (erasing) eraseRegion(input, { ...preprocessing, ...erasing }, random)
  return input
}
