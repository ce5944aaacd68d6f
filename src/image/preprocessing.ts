import { BlvitError } from '../base/blvit-error.js'
import { type CropMode, cropWindow, roundHalfToEven } from './crop-window.js'
import type { FilterName } from './filters.js'
import { greyed } from './grey.js'
import { lookUpChannel } from './pixel-kernel.js'
import type { Pixels } from './pixels.js'
import { resizeSteps } from './resize.js'
import { runAtOnce, type Steps } from './steps.js'

/** Three numbers, for red, green and blue. */
export type PerChannel = readonly [number, number, number]

/** One number, for grey pictures. */
export type Grey = readonly [number]

/** What is done to a picture before a model sees it: timm's evaluation transform. */
export interface Preprocessing {
  /** the model's input, in pixels */
  readonly height: number
  readonly width: number
  /** share of the resized side that the input keeps (timm's `crop_pct`): the picture is resized to `floor(side / cropRatio)` */
  readonly cropRatio: number
  /** `center` crops what sticks out, `squash` distorts, `border` pads with the mean colour */
  readonly cropMode: CropMode
  readonly filter: FilterName
  /** subtracted from values in 0 … 1; a model that takes grey pictures has one number here and in `std` */
  readonly mean: PerChannel | Grey
  /** divided by after the mean is subtracted */
  readonly std: PerChannel | Grey
  /** `bgr`: the input's first channel is blue and its last is red, and `mean` and `std` are in that order; default: red, green, blue */
  readonly channelOrder?: 'bgr' | undefined
}

/** How many channels the model takes: 3, or 1 for grey. */
export function channelsOf({ mean }: Pick<Preprocessing, 'mean'>): 1 | 3 {
  return mean.length
}

export interface PreprocessOptions {
  /** written into, instead of a new array: a batch's buffer */
  readonly into?: Float32Array
  /** first element written in `into`; default 0 */
  readonly offset?: number
}

/**
 * Resizes, crops and normalises a picture as timm does with Pillow and torchvision, bit for bit, without a pause:
 * a picture of 12 megapixels takes 0.1 s, in which nothing else runs. `Model.prepare` pauses.
 * @returns `[channels, height, width]`: a new array, or the part of `into` that was written
 * @throws BlvitError `BAD_OPTION` when `into` is too short
 * @example
 * const batch = new Float32Array(2 * 3 * 224 * 224)
 * preprocess(pixels, preprocessing, { into: batch, offset: 3 * 224 * 224 })
 */
export function preprocess(
  pixels: Pixels,
  preprocessing: Preprocessing,
  { into, offset = 0 }: PreprocessOptions = {},
): Float32Array {
  const length = channelsOf(preprocessing) * preprocessing.height * preprocessing.width
  if (into !== undefined && !(offset >= 0 && offset + length <= into.length)) {
    throw new BlvitError(
      'BAD_OPTION',
      `One picture needs ${length} elements from offset ${offset}, but into has ${into.length}.`,
      { length, offset, available: into.length },
    )
  }
  const output = into === undefined ? new Float32Array(length) : into.subarray(offset, offset + length)
  runAtOnce(writeNormalised(resizeAndCrop(pixels, preprocessing), preprocessing, output))
  return output
}

/** Pixels of the model's input size as the model's numbers. @returns `[channels, height, width]` */
export function normalise(pixels: Pixels, preprocessing: Preprocessing): Float32Array {
  return runAtOnce(normaliseSteps(pixels, preprocessing))
}

/** {@link normalise} in steps of a few rows. */
export function* normaliseSteps(pixels: Pixels, preprocessing: Preprocessing): Steps<Float32Array> {
  const output = new Float32Array(channelsOf(preprocessing) * pixels.height * pixels.width)
  yield* writeNormalised(pixels, preprocessing, output)
  return output
}

/** The model's input as 8-bit pixels: what {@link preprocess} normalises, and what a trace shows. */
export function resizeAndCrop(pixels: Pixels, preprocessing: Preprocessing): Pixels {
  return runAtOnce(resizeAndCropSteps(pixels, preprocessing))
}

/** {@link resizeAndCrop} in steps of a few rows. */
export function* resizeAndCropSteps(pixels: Pixels, preprocessing: Preprocessing): Steps<Pixels> {
  const { height, width, filter } = preprocessing
  const { resized, top, left } = cropWindow(pixels, preprocessing)
  const region = {
    left: Math.max(0, left),
    top: Math.max(0, top),
    width: Math.min(width, resized.width),
    height: Math.min(height, resized.height),
  }
  const shown = channelsOf(preprocessing) === 1 ? greyed(pixels) : pixels
  const visible = yield* resizeSteps(shown, { ...resized, filter, region })
  if (visible.width === width && visible.height === height) return visible
  return pad(visible, preprocessing, { top: Math.max(0, -top), left: Math.max(0, -left) })
}

function pad(
  visible: Pixels,
  { height, width, cropMode, mean, channelOrder }: Preprocessing,
  { top, left }: { top: number; left: number },
): Pixels {
  const values = new Uint8Array(height * width * 3)
  // timm fills borders with the mean, while torchvision's centre crop pads with black
  if (cropMode === 'border') {
    const colour = mean.map((m) => roundHalfToEven(255 * m))
    const fill = channelOrder === 'bgr' ? colour.reverse() : colour
    for (let i = 0; i < values.length; i++) values[i] = fill[(i % 3) % fill.length] as number
  }
  const rowLength = visible.width * 3
  for (let row = 0; row < visible.height; row++) {
    const line = visible.values.subarray(row * rowLength, (row + 1) * rowLength)
    values.set(line, ((top + row) * width + left) * 3)
  }
  return { height, width, values }
}

/** `[height, width, 3]` bytes to `[channels, height, width]` floats; of grey pictures all three are alike. */
function* writeNormalised(
  { width, height, values }: Pixels,
  preprocessing: Preprocessing,
  output: Float32Array,
): Steps<void> {
  const tables = normalisationTables(preprocessing)
  const plane = width * height
  // 50,000 pixels take 0.1 ms: no plane of a model's input is much larger
  for (const [channel, table] of tables.entries()) {
    const target = output.subarray(channel * plane, (channel + 1) * plane)
    const colour = preprocessing.channelOrder === 'bgr' ? tables.length - 1 - channel : channel
    lookUpChannel(values.subarray(colour, 3 * plane), table, target)
    yield
  }
}

// For the small pictures of a training, making the tables takes longer than their use.
const tablesOf = new WeakMap<Preprocessing, readonly Float32Array[]>()

function normalisationTables(preprocessing: Preprocessing): readonly Float32Array[] {
  const known = tablesOf.get(preprocessing)
  if (known) return known
  const { mean, std } = preprocessing
  const tables = mean.map((value, channel) => normalisationTable(value, std[channel] ?? std[0]))
  tablesOf.set(preprocessing, tables)
  return tables
}

/** The normalised value of each of the 256 bytes; every step is rounded to float32, as in torch. */
function normalisationTable(mean: number, std: number): Float32Array {
  const mean32 = Math.fround(mean)
  const std32 = Math.fround(std)
  return Float32Array.from({ length: 256 }, (_, value) => {
    const centred = Math.fround(Math.fround(value / 255) - mean32)
    return centred / std32
  })
}
