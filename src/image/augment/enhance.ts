import { greyAt } from '../grey.js'
import type { Pixels } from '../pixels.js'
import { toByte, withToneCurve } from './tone-curve.js'

// Pillow's ImageEnhance: each goes from a degenerate picture (factor 0) by the original (1) to more than it.

/** Black, the original, brighter: `ImageEnhance.Brightness`. */
export function brightness(pixels: Pixels, factor: number): Pixels {
  return withToneCurve(pixels, (value) => blend(0, value, Math.fround(factor)))
}

/** The grey of the picture's mean, the original, more contrast: `ImageEnhance.Contrast`. */
export function contrast(pixels: Pixels, factor: number): Pixels {
  const { values } = pixels
  let sum = 0
  for (let i = 0; i < values.length; i += 3) sum += greyAt(values, i)
  const mean = Math.trunc(sum / (values.length / 3) + 0.5)
  return withToneCurve(pixels, (value) => blend(mean, value, Math.fround(factor)))
}

/** Grey, the original, stronger colours: `ImageEnhance.Color`. */
export function saturation({ width, height, values }: Pixels, factor: number): Pixels {
  const alpha = Math.fround(factor)
  const enhanced = new Uint8Array(values.length)
  for (let i = 0; i < values.length; i += 3) {
    const grey = greyAt(values, i)
    enhanced[i] = blend(grey, values[i] as number, alpha)
    enhanced[i + 1] = blend(grey, values[i + 1] as number, alpha)
    enhanced[i + 2] = blend(grey, values[i + 2] as number, alpha)
  }
  return { width, height, values: enhanced }
}

/** Smoothed, the original, sharpened: `ImageEnhance.Sharpness`. The outermost pixels stay as they are. */
export function sharpness(pixels: Pixels, factor: number): Pixels {
  const { width, height, values } = pixels
  const alpha = Math.fround(factor)
  const enhanced = Uint8Array.from(values)
  const rowLength = width * 3
  for (let row = 1; row < height - 1; row++) {
    const end = (row + 1) * rowLength - 3
    for (let i = row * rowLength + 3; i < end; i++) {
      enhanced[i] = blend(smoothedAt(values, i, rowLength), values[i] as number, alpha)
    }
  }
  return { width, height, values: enhanced }
}

/**
 * Pillow's `ImageFilter.SMOOTH`: weights of 5 in the middle and 1 around, rounded. Whole numbers give what Pillow's
 * floats give: a sum is never nearer than 1/26 to where the rounding changes.
 */
function smoothedAt(values: Uint8Array, i: number, rowLength: number): number {
  let sum = 4 * (values[i] as number)
  for (let line = i - rowLength; line <= i + rowLength; line += rowLength) {
    sum += (values[line - 3] as number) + (values[line] as number) + (values[line + 3] as number)
  }
  return Math.floor((2 * sum + 13) / 26)
}

/** Pillow's `Image.blend`, which computes in float32. @param alpha a float32 */
function blend(degenerate: number, original: number, alpha: number): number {
  return toByte(Math.fround(degenerate + Math.fround(alpha * (original - degenerate))))
}
