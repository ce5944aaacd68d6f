import { drawBelow, drawBetween } from '../../base/distributions.js'
import type { Random } from '../../base/random.js'
import type { Pixels } from '../pixels.js'
import { brightness, contrast, saturation } from './enhance.js'

/** How far each may go from the original: 0.4 draws a factor between 0.6 and 1.4. */
export interface ColorJitterOptions {
  readonly brightness: number
  readonly contrast: number
  readonly saturation: number
}

/** torchvision's `ColorJitter` without hue, which timm doesn't use: factors and order are drawn. */
export function colorJitter(pixels: Pixels, options: ColorJitterOptions, random: Random): Pixels {
  const left = [
    { enhance: brightness, reach: options.brightness },
    { enhance: contrast, reach: options.contrast },
    { enhance: saturation, reach: options.saturation },
  ]
  let picture = pixels
  while (left.length > 0) {
    const [step] = left.splice(drawBelow(left.length, random), 1)
    if (!step || step.reach === 0) continue
    const factor = drawBetween(Math.max(0, 1 - step.reach), 1 + step.reach, random)
    picture = step.enhance(picture, factor)
  }
  return picture
}
