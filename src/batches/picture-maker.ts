import { BlvitError, messageAbout } from '../base/blvit-error.js'
import { type Random, seededRandom } from '../base/random.js'
import type { Sample } from '../data/data-set.js'
import { augmentPicture } from '../image/augment/augment-picture.js'
import type { Augmentation } from '../image/augment/augmentation.js'
import { decodeImage } from '../image/node/decode.js'
import type { Pixels } from '../image/pixels.js'
import type { Preprocessing } from '../image/preprocessing.js'
import type { PixelFrame } from '../segmentation/frame-pixels.js'
import { framedPicture } from './framed-picture.js'
import { type MarkedObjects, type MaskQuestions, markedObjects } from './marked-objects.js'
import type { DataPosition } from './picture-stream.js'

/** How pictures come to a model that cuts out things. */
export interface MaskPictures extends PixelFrame {
  /** What it is asked of them; undefined: nothing, and their objects don't matter. */
  readonly questions: MaskQuestions | undefined
}

/** What decides how a picture looks, besides its place in the stream. */
export interface PictureMakerOptions {
  readonly preprocessing: Preprocessing
  readonly augmentation: Augmentation
  /** Of a model that cuts out things: its frame, which pictures are brought to instead. */
  readonly masks?: MaskPictures | undefined
  readonly seed: number
}

/** A sample and its place in the stream. */
export interface PictureToMake {
  readonly sample: Sample
  readonly at: DataPosition
}

/** A picture for training, or why it can't be used. */
export type MadePicture =
  | {
      /** `[3, height, width]` */
      readonly pixels: Float32Array
      /** What it is asked for; only where there are questions. */
      readonly objects?: MarkedObjects
    }
  | { /** Nothing that it could be asked for can be seen. */ readonly nothing: string }
  | { readonly complaint: string }

// To decode one of 32 × 32 takes several times as long as all the rest, and 50,000 of them take 154 MB.
const smallPixels = 64 * 64
const keptBytes = 256_000_000

/** Decodes pictures; small ones only once. */
function smallPictureDecoder(): (sample: Sample) => Promise<Pixels> {
  const kept = new Map<string, Pixels>()
  let leftBytes = keptBytes
  return async ({ name, source }) => {
    const known = kept.get(name)
    if (known) return known
    const pixels = await decodeImage(source)
    const isEncoded = typeof source === 'string' || source instanceof Uint8Array
    if (isEncoded && pixels.width * pixels.height <= smallPixels && pixels.values.length <= leftBytes) {
      // a copy: the decoder's buffer may be a part of a larger one
      kept.set(name, { ...pixels, values: Uint8Array.from(pixels.values) })
      leftBytes -= pixels.values.length
    }
    return pixels
  }
}

/** A picture in the frame of a model that cuts out things. Where a crop shows none of them, all of the picture is taken. */
function framed(
  decoded: Pixels,
  {
    sample: { name, objects = [] },
    masks,
    augmentation,
  }: { sample: Sample; masks: MaskPictures; augmentation: Augmentation },
  random: Random,
): MadePicture {
  const { questions } = masks
  const ways =
    questions && augmentation.crop !== false ? [augmentation.crop, false as const] : [augmentation.crop]
  for (const crop of ways) {
    const how = { frame: masks, augmentation: { ...augmentation, crop } }
    const { pixels, placing } = framedPicture(decoded, how, random)
    if (!questions) return { pixels }
    const marked = markedObjects(objects, placing, questions, random)
    if (marked) return { pixels, objects: marked }
  }
  return { nothing: name }
}

/** Makes pictures for training one by one; each depends on the options and its place alone. */
export function pictureMaker({
  preprocessing,
  augmentation,
  masks,
  seed,
}: PictureMakerOptions): (picture: PictureToMake) => Promise<MadePicture> {
  const decode = smallPictureDecoder()
  return async ({ sample, at }) => {
    try {
      const decoded = await decode(sample)
      // of this picture in this epoch, whatever was drawn before
      const random = seededRandom(seed, 'picture', at.epoch, at.index)
      if (masks) return framed(decoded, { sample, masks, augmentation }, random)
      return { pixels: augmentPicture(decoded, { preprocessing, augmentation }, random) }
    } catch (thrown) {
      if (!(thrown instanceof BlvitError)) throw thrown
      return { complaint: messageAbout(sample.name, thrown.message) }
    }
  }
}
