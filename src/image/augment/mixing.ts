import { drawBelow, drawBeta } from '../../base/distributions.js'
import type { Random } from '../../base/random.js'
import type { Size } from '../crop-window.js'

/** How pictures of a batch are joined in pairs: the first with the last, the second with the last but one, … */
export interface MixingOptions {
  /** Pictures shine through each other, by a share drawn from Beta(α, α): Zhang et al., "mixup" (2018). */
  readonly mixup?: { readonly alpha: number } | undefined
  /** A rectangle of one picture covers the other: Yun et al., "CutMix" (2019). */
  readonly cutmix?: { readonly alpha: number } | undefined
  /** Of a batch to be mixed at all. */
  readonly mixProbability: number
  /** Of cutmix, where mixup could be as well. */
  readonly switchProbability: number
}

/** Pictures side by side in one array, `[batch, channels, height, width]`. */
export interface PictureBatch extends Size {
  readonly channels: number
  readonly pixels: Float32Array
}

/**
 * Mixes a batch in place as timm's `Mixup` does in its batch mode: one way and one share for all pairs.
 * @returns the share λ of its own that each picture has kept: of its target λ is its own and 1 − λ its partner's
 */
export function mixBatch(batch: PictureBatch, options: MixingOptions, random: Random): number {
  const { mixup, cutmix, mixProbability, switchProbability } = options
  if ((!mixup && !cutmix) || random() >= mixProbability) return 1
  const chosen = mixup && cutmix ? (random() < switchProbability ? cutmix : mixup) : (mixup ?? cutmix)
  if (!chosen) return 1
  const share = drawBeta(chosen.alpha, random)
  return chosen === cutmix ? cutPairs(batch, share, random) : blendPairs(batch, share)
}

/** Calls with the first elements of two pictures, for each pair. A picture that is its own partner has none. */
function forEachPair(
  { pixels, channels, height, width }: PictureBatch,
  mix: (first: number, second: number) => void,
): void {
  const size = channels * height * width
  for (let i = 0, j = pixels.length / size - 1; i < j; i++, j--) mix(i * size, j * size)
}

function blendPairs(batch: PictureBatch, share: number): number {
  const { pixels, channels, height, width } = batch
  const size = channels * height * width
  const rest = 1 - share
  forEachPair(batch, (first, second) => {
    for (let i = 0; i < size; i++) {
      const own = pixels[first + i] as number
      const other = pixels[second + i] as number
      pixels[first + i] = share * own + rest * other
      pixels[second + i] = share * other + rest * own
    }
  })
  return share
}

/** One side of the rectangle: around a place drawn anywhere, so it may stick out and is cut there. */
function drawSpan(length: number, side: number, random: Random): { start: number; end: number } {
  const half = Math.floor(Math.trunc(length * side) / 2)
  const middle = drawBelow(length, random)
  return { start: Math.max(0, middle - half), end: Math.min(length, middle + half) }
}

function cutPairs(batch: PictureBatch, share: number, random: Random): number {
  const { pixels, channels, height, width } = batch
  const side = Math.sqrt(1 - share)
  const rows = drawSpan(height, side, random)
  const columns = drawSpan(width, side, random)
  forEachPair(batch, (first, second) => {
    for (let channel = 0; channel < channels; channel++) {
      for (let row = rows.start; row < rows.end; row++) {
        const start = (channel * height + row) * width
        for (let i = start + columns.start; i < start + columns.end; i++) {
          const own = pixels[first + i] as number
          pixels[first + i] = pixels[second + i] as number
          pixels[second + i] = own
        }
      }
    }
  })
  // of what was really exchanged, not of what was drawn
  return 1 - ((rows.end - rows.start) * (columns.end - columns.start)) / (height * width)
}
