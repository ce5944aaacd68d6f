import { BlvitError } from '../base/blvit-error.js'
import type { Pixels } from './pixels.js'
import type { Steps } from './steps.js'

// 0.1 ms
const pixelsPerStep = 10_000

/** Decoded samples as other programs hold them: a canvas (4 channels), a grey camera (1), RGB (3). */
export interface RawPixels {
  readonly width: number
  readonly height: number
  /** samples a pixel: 1 grey, 3 RGB (default), 4 RGB and alpha */
  readonly channels?: 1 | 3 | 4
  /** `[height, width, channels]`, row-major, 0 to 255 */
  readonly values: Uint8Array | Uint8ClampedArray
}

/** Samples under the name `data`: `ImageData` of a canvas (no `channels`: 4), or `RawImage` of transformers.js. */
export interface CanvasPixels {
  readonly width: number
  readonly height: number
  readonly channels?: 1 | 3 | 4
  /** `[height, width, channels]`, row-major, 0 to 255 */
  readonly data: Uint8Array | Uint8ClampedArray
}

/**
 * Checks raw samples and brings them to RGB: grey is repeated, alpha is dropped (as Pillow's
 * `convert('RGB')` does). RGB is passed on without a copy.
 * @throws BlvitError `BAD_IMAGE` when sizes are not positive integers or the length doesn't fit them
 */
export function* rgbFromRaw(raw: RawPixels | CanvasPixels): Steps<Pixels> {
  const { width, height } = raw
  const { channels, values } =
    'values' in raw
      ? { channels: raw.channels ?? 3, values: raw.values }
      : { channels: raw.channels ?? 4, values: raw.data }
  checkLayout({ width, height, values }, channels)
  if (channels === 3) return { width, height, values: asBytes(values) }

  const rgb = new Uint8Array(width * height * 3)
  for (let first = 0; first < width * height; first += pixelsPerStep) {
    const some = values.subarray(first * channels, (first + pixelsPerStep) * channels)
    writeRgb(some, channels, rgb.subarray(first * 3))
    yield
  }
  return { width, height, values: rgb }
}

function writeRgb(values: RawPixels['values'], channels: number, rgb: Uint8Array): void {
  const green = channels === 1 ? 0 : 1
  const blue = channels === 1 ? 0 : 2
  for (let from = 0, to = 0; from < values.length; from += channels, to += 3) {
    rgb[to] = values[from] as number
    rgb[to + 1] = values[from + green] as number
    rgb[to + 2] = values[from + blue] as number
  }
}

function checkLayout({ width, height, values }: RawPixels, channels: number): void {
  if (![1, 3, 4].includes(channels)) {
    throw new BlvitError(
      'BAD_IMAGE',
      `Raw pixels have channels = ${channels}; pass 1 (grey), 3 (RGB) or 4 (RGB and alpha).`,
      { channels },
    )
  }
  if (!isSide(width) || !isSide(height)) {
    throw new BlvitError(
      'BAD_IMAGE',
      `Raw pixels are ${width} × ${height}; width and height must be whole numbers of at least 1.`,
      { width, height },
    )
  }
  if (!/^\[object Uint8(Clamped)?Array\]$/.test(Object.prototype.toString.call(values))) {
    throw new BlvitError(
      'BAD_IMAGE',
      'Raw pixels need values (or data) in a Uint8Array or Uint8ClampedArray, 0 to 255; scale other samples first.',
    )
  }
  const expected = width * height * channels
  if (values.length !== expected) {
    throw new BlvitError(
      'BAD_IMAGE',
      `Raw pixels of ${width} × ${height} with ${channels} channels need ${expected} values, got ${values.length}. ` +
        'Check the channels, and that rows are not padded.',
      { width, height, channels, expected, actual: values.length },
    )
  }
}

function isSide(length: number): boolean {
  return Number.isSafeInteger(length) && length > 0
}

function asBytes(values: Uint8Array | Uint8ClampedArray): Uint8Array {
  return values instanceof Uint8Array
    ? values
    : new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}
