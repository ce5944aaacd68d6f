import { drawBelow, drawNormal } from '../../base/distributions.js'
import type { Random } from '../../base/random.js'
import type { Pixels } from '../pixels.js'
import type { PerChannel } from '../preprocessing.js'
import { brightness, contrast, saturation, sharpness } from './enhance.js'
import { rotate, shearX, shearY, translateX, translateY } from './geometry.js'
import { autoContrast, equalize } from './histogram-tones.js'
import { invert, posterize, solarize, solarizeAdd } from './tones.js'

export interface RandAugmentOptions {
  /** Operations a picture. */
  readonly layers: number
  /** 0 … 10. */
  readonly magnitude: number
  /** Standard deviation of the magnitude of each operation. */
  readonly magnitudeStd: number
  /** Of each operation to be done at all. */
  readonly probability: number
}

interface Strength {
  /** Magnitude as a share of the largest, 0 … 1. */
  readonly level: number
  /** −1 or 1, drawn when it is asked for. */
  readonly sign: () => number
  /** Of what comes from outside of the picture, 0 … 255. */
  readonly fill: PerChannel
}

/** What an operation does, with the amounts that timm's "increasing" set (`inc1`) gives each level. */
type Operation = (pixels: Pixels, strength: Strength) => Pixels

const largestMagnitude = 10
const largestTurnDegrees = 30
const largestShear = 0.3
const largestShift = 0.45
const enhanceSpan = 0.9

const turned: Operation = (pixels, { level, sign, fill }) =>
  rotate(pixels, largestTurnDegrees * level * sign(), fill)

/** From the original (1) to nearly nothing (0.1) or nearly twice as much (1.9). */
const enhanced =
  (enhance: (pixels: Pixels, factor: number) => Pixels): Operation =>
  (pixels, { level, sign }) =>
    enhance(pixels, Math.max(0.1, 1 + enhanceSpan * level * sign()))

const moved =
  (move: (pixels: Pixels, amount: number, fill: PerChannel) => Pixels, largest: number): Operation =>
  (pixels, { level, sign, fill }) =>
    move(pixels, largest * level * sign(), fill)

/** Cubuk et al., "RandAugment" (2020), in the order and with the names of timm's `rand-…-inc1`. */
const operations: Readonly<Record<string, Operation>> = {
  AutoContrast: autoContrast,
  Equalize: equalize,
  Invert: invert,
  Rotate: turned,
  PosterizeIncreasing: (pixels, { level }) => posterize(pixels, 4 - Math.trunc(4 * level)),
  SolarizeIncreasing: (pixels, { level }) => solarize(pixels, 256 - Math.trunc(256 * level)),
  SolarizeAdd: (pixels, { level }) => solarizeAdd(pixels, Math.trunc(110 * level)),
  ColorIncreasing: enhanced(saturation),
  ContrastIncreasing: enhanced(contrast),
  BrightnessIncreasing: enhanced(brightness),
  SharpnessIncreasing: enhanced(sharpness),
  ShearX: moved(shearX, largestShear),
  ShearY: moved(shearY, largestShear),
  TranslateXRel: moved(translateX, largestShift),
  TranslateYRel: moved(translateY, largestShift),
}

export const randAugmentOperations: readonly string[] = Object.keys(operations)

/** One operation of RandAugment at a magnitude of 0 … 10. @param name one of {@link randAugmentOperations} */
export function applyOperation(
  pixels: Pixels,
  { name, magnitude, fill }: { readonly name: string; readonly magnitude: number; readonly fill: PerChannel },
  random: Random,
): Pixels {
  const level = Math.max(0, Math.min(magnitude, largestMagnitude)) / largestMagnitude
  const sign = () => (random() < 0.5 ? -1 : 1)
  return operations[name]?.(pixels, { level, sign, fill }) ?? pixels
}

/** RandAugment as timm does it with `rand-m{magnitude}-mstd{magnitudeStd}-inc1`. */
export function randAugment(
  pixels: Pixels,
  { layers, magnitude, magnitudeStd, probability, fill }: RandAugmentOptions & { readonly fill: PerChannel },
  random: Random,
): Pixels {
  // timm chooses the operations of all layers first, each of them as often as it comes
  const chosen = Array.from(
    { length: layers },
    () => randAugmentOperations[drawBelow(randAugmentOperations.length, random)] as string,
  )
  return chosen.reduce((picture, name) => {
    if (random() >= probability) return picture
    const drawn = magnitudeStd > 0 ? magnitude + magnitudeStd * drawNormal(random) : magnitude
    return applyOperation(picture, { name, magnitude: drawn, fill }, random)
  }, pixels)
}
