import type { Pixels } from '../pixels.js'
import { type ToneCurve, withToneCurves } from './tone-curve.js'

const unchanged: ToneCurve = (value) => value

/** How often each value comes in a channel, `[256]`. */
function histogramOf({ values }: Pixels, channel: number): Uint32Array {
  const counts = new Uint32Array(256)
  for (let i = channel; i < values.length; i += 3) {
    const value = values[i] as number
    counts[value] = (counts[value] as number) + 1
  }
  return counts
}

/** Stretches each channel from 0 to 255: Pillow's `ImageOps.autocontrast` without a cutoff. */
export function autoContrast(pixels: Pixels): Pixels {
  return withToneCurves(pixels, (channel) => {
    const counts = histogramOf(pixels, channel)
    const darkest = counts.findIndex((count) => count > 0)
    const brightest = counts.findLastIndex((count) => count > 0)
    if (brightest <= darkest) return unchanged
    const scale = 255 / (brightest - darkest)
    const offset = -darkest * scale
    return (value) => value * scale + offset
  })
}

/** Makes the values of each channel about equally frequent: Pillow's `ImageOps.equalize`. */
export function equalize(pixels: Pixels): Pixels {
  return withToneCurves(pixels, (channel) => {
    const counts = histogramOf(pixels, channel)
    const brightest = counts.findLastIndex((count) => count > 0)
    const total = pixels.width * pixels.height
    // Pillow leaves the brightest value out, so that it becomes 255
    const perStep = Math.floor((total - (counts[brightest] ?? 0)) / 255)
    if (perStep === 0) return unchanged
    const levels = new Float64Array(256)
    let below = Math.floor(perStep / 2)
    for (const [value, count] of counts.entries()) {
      levels[value] = Math.floor(below / perStep)
      below += count
    }
    return (value) => levels[value] as number
  })
}
