import type { Size } from '../image/crop-window.js'
import type { ImageInput } from '../image/image-input.js'
import type { Pixels } from '../image/pixels.js'
import type { ImageDecoder, PreparedPicture, PrepareOptions } from '../image/prepare.js'
import { normaliseSteps, type PerChannel } from '../image/preprocessing.js'
import { resizeSteps } from '../image/resize.js'
import { runWithPauses, type Steps } from '../image/steps.js'
import { type FrameFit, sizeInFrame } from './frame.js'
import { axisTaps, scaled } from './logits-scale.js'

/** How the pixels of a picture become those that a model sees. */
export interface PixelFrame extends Pick<FrameFit, 'height' | 'width' | 'fit'> {
  /** Of channels from 0 to 1. */
  readonly mean: PerChannel
  readonly std: PerChannel
}

/** A picture in a model's frame. */
export interface FramedPicture {
  /** Normalised. `[3, height, width]` of the frame */
  readonly input: Float32Array
  /** Of the picture within the frame, in pixels. */
  readonly resized: Size
}

/** SAM's own way: the picture in the frame's upper left corner, zeros behind the normalisation around it. */
function* padded(pixels: Pixels, frame: PixelFrame, resized: Size): Steps<Float32Array> {
  const small = yield* resizeSteps(pixels, { ...resized, filter: 'bilinear' })
  const { mean, std } = frame
  const values = yield* normaliseSteps(small, {
    ...{ ...resized, cropRatio: 1, cropMode: 'squash', filter: 'bilinear' },
    ...{ mean, std },
  })
  const input = new Float32Array(3 * frame.height * frame.width)
  for (let channel = 0; channel < 3; channel++) {
    for (let row = 0; row < resized.height; row++) {
      const from = (channel * resized.height + row) * resized.width
      input.set(values.subarray(from, from + resized.width), (channel * frame.height + row) * frame.width)
    }
    yield
  }
  return input
}

/**
 * A channel of a picture in EfficientSAM's frame: both sides to the frame's, in numbers and without a filter.
 * @param own from 0 to 1. `[height, width]`
 */
export function squashedChannel(own: Float32Array, { height, width }: Size, frame: PixelFrame): Float32Array {
  return scaled(
    own,
    { height, width },
    {
      rows: axisTaps('bilinear', { from: height, to: frame.height }),
      columns: axisTaps('bilinear', { from: width, to: frame.width }),
    },
  )
}

/** EfficientSAM's way. */
function* squashed({ width, height, values }: Pixels, frame: PixelFrame): Steps<Float32Array> {
  const plane = frame.height * frame.width
  const input = new Float32Array(3 * plane)
  for (const [channel, mean] of frame.mean.entries()) {
    const std = frame.std[channel] ?? 1
    const own = new Float32Array(width * height)
    for (let at = 0; at < own.length; at++) own[at] = (values[3 * at + channel] ?? 0) / 255
    yield
    const resized = squashedChannel(own, { height, width }, frame)
    input.set(
      resized.map((value) => (value - mean) / std),
      channel * plane,
    )
    yield
  }
  return input
}

/** The frame with a picture in its upper left corner, black around it. */
function inCorner(small: Pixels, { height, width }: Size): Pixels {
  const values = new Uint8Array(3 * height * width)
  for (let row = 0; row < small.height; row++) {
    const own = small.values.subarray(3 * row * small.width, 3 * (row + 1) * small.width)
    values.set(own, 3 * row * width)
  }
  return { height, width, values }
}

/**
 * A picture in a model's frame, to be run and to be drawn.
 * @throws BlvitError as the decoder
 */
export async function prepareInFrame(
  image: ImageInput,
  frame: PixelFrame,
  { decoder, maxPixels, signal }: Omit<PrepareOptions, 'exact'> & { decoder: ImageDecoder },
): Promise<PreparedPicture> {
  const decoded = await decoder.decode(image, { ...(maxPixels !== undefined && { maxPixels }), signal })
  const { input, resized } = await runWithPauses(framePictureSteps(decoded, frame), { signal })
  const small = await runWithPauses(resizeSteps(decoded, { ...resized, filter: 'bilinear' }), { signal })
  const { height, width } = decoded
  return { pixels: inCorner(small, frame), input, decoded: { height, width } }
}

/** A picture as a model that cuts things out sees it, in steps. */
export function* framePictureSteps(pixels: Pixels, frame: PixelFrame): Steps<FramedPicture> {
  const resized = sizeInFrame(pixels, frame)
  const input = yield* frame.fit === 'pad' ? padded(pixels, frame, resized) : squashed(pixels, frame)
  return { input, resized }
}
