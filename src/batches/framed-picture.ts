import { BlvitError } from '../base/blvit-error.js'
import type { Random } from '../base/random.js'
import type { Augmentation } from '../image/augment/augmentation.js'
import { colorJitter } from '../image/augment/color-jitter.js'
import type { Size } from '../image/crop-window.js'
import type { Pixels } from '../image/pixels.js'
import { drawCrop, mirrored } from '../image/random-crop.js'
import { crop, type Region } from '../image/resize.js'
import { runAtOnce } from '../image/steps.js'
import { framePictureSteps, type PixelFrame } from '../segmentation/frame-pixels.js'

/** Where a picture is in a model's frame. */
export interface Placing {
  /** The part of it that is shown. */
  readonly crop: Region
  /** Left and right of that part have changed places. */
  readonly mirrored: boolean
  /** Of all of it, in pixels. */
  readonly picture: Size
  /** Of the part within the frame, in pixels. */
  readonly resized: Size
}

interface FramedTrainingPicture {
  /** Normalised. `[3, height, width]` of the frame */
  readonly pixels: Float32Array
  readonly placing: Placing
}

/** @throws BlvitError `BAD_OPTION` for what would move a picture and leave its masks where they are, or change what they mean */
export function checkFramedAugmentation(augmentation: Augmentation): void {
  const { crop: cropping, randAugment, erasing, mixup, cutmix, labelSmoothing } = augmentation
  const isShift = cropping !== false && 'padding' in cropping
  const refused = [
    ...(isShift ? ['crop: { padding }'] : []),
    ...Object.entries({ randAugment, erasing, mixup, cutmix }).flatMap(([name, value]) =>
      value ? [name] : [],
    ),
    ...(labelSmoothing > 0 ? ['labelSmoothing'] : []),
  ]
  if (refused.length === 0) return
  throw new BlvitError(
    'BAD_OPTION',
    `Pictures with masks can't be augmented by ${refused.join(', ')}. Use crop: { scale, ratio }, flip and colorJitter.`,
    { refused },
  )
}

/** A picture in a model's frame, cropped, mirrored and with other colours as an augmentation says. */
export function framedPicture(
  decoded: Pixels,
  { frame, augmentation }: { readonly frame: PixelFrame; readonly augmentation: Augmentation },
  random: Random,
): FramedTrainingPicture {
  const { crop: cropping, flip, colorJitter: jitter } = augmentation
  const { width, height } = decoded
  const window =
    cropping === false || 'padding' in cropping
      ? { left: 0, top: 0, width, height }
      : drawCrop(decoded, random, cropping)
  let picture = cropping === false ? decoded : crop(decoded, window)
  const isMirrored = flip && random() < 0.5
  if (isMirrored) picture = mirrored(picture)
  if (jitter) picture = colorJitter(picture, jitter, random)
  const { input, resized } = runAtOnce(framePictureSteps(picture, frame))
  return {
    pixels: input,
    placing: { crop: window, mirrored: isMirrored, picture: { width, height }, resized },
  }
}
