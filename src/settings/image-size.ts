import { BlvitError } from '../base/blvit-error.js'
import type { Setting } from './setting.js'

function check(side: unknown): number {
  if (typeof side === 'number' && Number.isSafeInteger(side) && side > 0) return side
  throw new BlvitError('BAD_OPTION', `Image size ${side} is not a whole number of pixels, such as 192.`)
}

/**
 * The side of the pictures that a model is given, in pixels: the plainest way to save work, which every other has to beat.
 * Resize and crop keep their proportion; the position embedding is resampled as the model's own library does.
 */
export const imageSize = {
  flags: '--image-size',
  placeholder: 'pixels',
  about: "side of the model's input (default: its own)",
  unit: 'px',
  parse: (text) => check(/^\d+$/.test(text.trim()) ? Number(text) : text),
  check,
  print: (side, { image }) => (image.height === side && image.width === side ? '' : `image size ${side}`),
  ladder: (_, { image, imageStep }) =>
    Array.from({ length: Math.floor(image.width / imageStep) }, (_, i) => (i + 1) * imageStep),
  remake: (side, architecture, { withChanges }) => {
    const { height, width } = architecture.image
    return height === side && width === side ? architecture : withChanges(architecture, { image_size: side })
  },
} as const satisfies Setting<number>
