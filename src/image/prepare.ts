import { defined } from '../base/assert.js'
import type { OptionKeys } from '../base/check-options.js'
import { Slots } from '../base/slots.js'
import { type Size, sizeBeforeCrop } from './crop-window.js'
import type { ImageInput } from './image-input.js'
import type { Pixels } from './pixels.js'
import { normaliseSteps, type Preprocessing, resizeAndCropSteps } from './preprocessing.js'
import { runWithPauses, type Steps } from './steps.js'

export interface DecodeOptions {
  /** largest accepted width × height; default 100 megapixels */
  readonly maxPixels?: number
  /**
   * Lets a JPEG that is at least three times as large come back at a third, a fifth or a ninth of its size, no side
   * smaller than this (in pixels, upright): twice as fast, but no longer the bytes of Pillow. Default: the full size.
   */
  readonly atLeast?: Size | undefined
  readonly signal?: AbortSignal | undefined
  /** Awaited when the encoded picture has been read, however long that took, and before memory is taken for its pixels. */
  readonly beforeDecoding?: (() => Promise<void>) | undefined
}

/** What makes pixels of pictures: Node and browsers have different means. */
export interface ImageDecoder {
  /** @throws BlvitError `BAD_IMAGE`, `NOT_FOUND`, `OFFLINE`, `BAD_OPTION`, `ABORTED` */
  decode(image: ImageInput, options?: DecodeOptions): Promise<Pixels>
  /** Loads now what the first picture would have to wait for. */
  warmUp?(): Promise<unknown>
}

export interface PrepareOptions {
  /**
   * Prepare every picture to the bit as timm does with Pillow. Without it a JPEG of more than six times the model's
   * input (from about 1500 pixels a side) is decoded at a third, a fifth or a ninth of its size, which is twice as
   * fast and moves the grey levels of the result by 0.2 on average. Default false.
   */
  readonly exact?: boolean | undefined
  /** Largest accepted width × height of a picture, a file's or pixels'. Default 100 megapixels. */
  readonly maxPixels?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export const prepareKeys: OptionKeys<PrepareOptions> = { exact: true, maxPixels: true, signal: true }

/** A picture as a model takes it. */
export interface PreparedPicture {
  /** resized and cropped */
  readonly pixels: Pixels
  /** normalised, `[3, height, width]` */
  readonly input: Float32Array
  /** of the picture before that, upright; of a large photograph that was decoded at a part of its size, that part's */
  readonly decoded: Size
}

// What our own filter sees of a reduced picture must be more than what it leaves: at twice the size no detail that
// the result can show has been lost.
const reservedSize = 2

// Twice as many as decoding threads: pixels of pictures that only wait would fill memory, 36 MB of 12 megapixels each.
const decodedAtOnce = 8
const decoding = new Slots(decodedAtOnce)

/**
 * Decodes, resizes, crops and normalises a picture. Decoding runs on other threads, the rest in steps of a few
 * milliseconds, so that the event loop goes on meanwhile.
 * @throws BlvitError as the decoder
 */
export async function preparePicture(
  image: ImageInput,
  preprocessing: Preprocessing,
  options: PrepareOptions & { decoder: ImageDecoder },
): Promise<PreparedPicture> {
  const [prepared] = await preparePictures(image, [preprocessing], options)
  return defined(prepared, 'the picture')
}

/**
 * The same in several ways, decoded once: what they see of a large photograph is what the largest of them needs.
 * @throws BlvitError as the decoder
 */
export async function preparePictures(
  image: ImageInput,
  ways: readonly Preprocessing[],
  { decoder, exact = false, maxPixels, signal }: PrepareOptions & { decoder: ImageDecoder },
): Promise<PreparedPicture[]> {
  const sizes = ways.map((way) => sizeBeforeCrop(way, way.cropRatio))
  const height = reservedSize * Math.max(...sizes.map((size) => size.height))
  const width = reservedSize * Math.max(...sizes.map((size) => size.width))
  const atLeast = exact ? undefined : { height, width }
  let leave = () => {}
  const beforeDecoding = async () => {
    leave = await decoding.enter(signal)
  }
  try {
    const limit = maxPixels === undefined ? {} : { maxPixels }
    const decoded = await decoder.decode(image, { atLeast, ...limit, signal, beforeDecoding })
    const prepared: PreparedPicture[] = []
    for (const way of ways) prepared.push(await runWithPauses(prepareSteps(decoded, way), { signal }))
    return prepared
  } finally {
    leave()
  }
}

function* prepareSteps(decoded: Pixels, preprocessing: Preprocessing): Steps<PreparedPicture> {
  const pixels = yield* resizeAndCropSteps(decoded, preprocessing)
  const { height, width } = decoded
  return { pixels, input: yield* normaliseSteps(pixels, preprocessing), decoded: { height, width } }
}
