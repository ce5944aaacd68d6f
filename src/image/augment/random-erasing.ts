import { drawBelow, drawBetween, drawNormal } from '../../base/distributions.js'
import type { Random } from '../../base/random.js'
import type { Size } from '../crop-window.js'
import type { Region } from '../resize.js'

/** What an erased region is filled with, under timm's names; 0 is the mean of normalised pixels, 1 their deviation. */
const fillings = {
  /** a normal number for each value */
  pixel: (random: Random) => () => drawNormal(random),
  /** one colour, drawn */
  rand: (random: Random) => {
    const colour = [drawNormal(random), drawNormal(random), drawNormal(random)] as const
    return (channel: 0 | 1 | 2) => colour[channel]
  },
  /** the mean colour */
  const: () => () => 0,
} satisfies Record<string, (random: Random) => (channel: 0 | 1 | 2) => number>

export type ErasingMode = keyof typeof fillings

export const erasingModes = Object.keys(fillings) as ErasingMode[]

export interface ErasingOptions {
  /** Of a picture to lose a region. */
  readonly probability: number
  readonly mode: ErasingMode
}

// timm's values, which are those of the paper but for the largest area
const areas = { least: 0.02, most: 1 / 3 } as const
const ratios = { least: 0.3, most: 1 / 0.3 } as const
const attempts = 10

/** A region smaller than the picture; undefined when none of ten fits. */
function drawRegion({ height, width }: Size, random: Random): Region | undefined {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const area = height * width * drawBetween(areas.least, areas.most, random)
    const ratio = Math.exp(drawBetween(Math.log(ratios.least), Math.log(ratios.most), random))
    const high = Math.round(Math.sqrt(area * ratio))
    const wide = Math.round(Math.sqrt(area / ratio))
    if (wide >= width || high >= height) continue
    const top = drawBelow(height - high + 1, random)
    const left = drawBelow(width - wide + 1, random)
    return { top, left, height: high, width: wide }
  }
  return undefined
}

/**
 * Random erasing (Zhong et al., 2017) as timm does it, after normalising, so that noise has the pixels' own spread.
 * @param input normalised, `[channels, height, width]`; changed in place
 */
export function eraseRegion(
  input: Float32Array,
  { height, width, probability, mode }: Size & ErasingOptions,
  random: Random,
): void {
  if (random() >= probability) return
  const region = drawRegion({ height, width }, random)
  if (!region) return
  const filling = fillings[mode](random)
  const channels = input.length / (height * width)
  for (const channel of ([0, 1, 2] as const).slice(0, channels)) {
    for (let row = region.top; row < region.top + region.height; row++) {
      const start = (channel * height + row) * width + region.left
      for (let i = start; i < start + region.width; i++) input[i] = filling(channel)
    }
  }
}
