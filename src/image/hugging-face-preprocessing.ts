import { z } from 'zod'
import { BlvitError } from '../base/blvit-error.js'
import { parseWith } from '../base/parse.js'
import { cropModes, type Size, sizeBeforeCrop } from './crop-window.js'
import type { FilterName } from './filters.js'
import type { Preprocessing } from './preprocessing.js'
import { cropRatio, perChannel, perChannelDivisor, side } from './preprocessing-schemas.js'
import { type ProcessorSize, processorDefaults, processorFamilies } from './processor-defaults.js'

const fileName = 'preprocessor_config.json'

/** Pillow's numbers of the filters. */
const filterByNumber: ReadonlyMap<number, FilterName> = new Map([
  [1, 'lanczos'],
  [2, 'bilinear'],
  [3, 'bicubic'],
])

const rectangle = z.object({ height: side, width: side })
const size = z.union(
  [side, rectangle, z.object({ shortest_edge: side })],
  'expected a number, { height, width } or { shortest_edge }',
)
const only = <T extends boolean>(value: T, reason: string) =>
  z.literal(value, `only ${value} is supported: ${reason}`).nullish()

const preprocessorConfig = z.object({
  image_processor_type: z.string().nullish(),
  feature_extractor_type: z.string().nullish(),
  do_resize: only(true, 'the model needs pictures of one size'),
  size: size.nullish(),
  resample: z
    .number()
    .refine((number) => filterByNumber.has(number), 'expected 1 (lanczos), 2 (bilinear) or 3 (bicubic)')
    .nullish(),
  do_center_crop: z.boolean().nullish(),
  crop_size: z.union([side, rectangle], 'expected a number or { height, width }').nullish(),
  do_rescale: only(true, 'models take values of 0 to 1'),
  rescale_factor: z
    .number()
    .refine((factor) => Math.abs(factor * 255 - 1) < 1e-6, 'expected 1/255 (0.00392156862745098)')
    .nullish(),
  rescale_offset: only(false, 'values start at 0'),
  do_flip_channel_order: z.boolean().nullish(),
  do_normalize: z.boolean().nullish(),
  image_mean: perChannel.nullish(),
  image_std: perChannelDivisor.nullish(),
  // timm's keys, which blvit adds
  crop_pct: cropRatio.nullish(),
  crop_mode: z.enum(cropModes).nullish(),
})

type PreprocessorConfig = z.infer<typeof preprocessorConfig>
type Defaults = NonNullable<ReturnType<typeof processorDefaults>>
type Geometry = Pick<Preprocessing, 'height' | 'width' | 'cropRatio' | 'cropMode'>

/**
 * Reads `preprocessor_config.json` of transformers (ViT, DeiT, CLIP, Bit and MobileViT image processors).
 * transformers crops one pixel further up or left where an odd number of pixels is cut off; timm's rule is used.
 * @param options.className the processor's class where the file names none; default: ViT's
 * @throws BlvitError `BAD_CONFIG`, naming the key and what is accepted
 */
export function readHuggingFacePreprocessing(
  json: unknown,
  { className }: { className?: string | undefined } = {},
): Preprocessing {
  const config = parseWith(preprocessorConfig, json, fileName)
  const defaults = defaultsOf(config, className)
  const normalize = config.do_normalize ?? defaults.do_normalize ?? true
  const flips = config.do_flip_channel_order ?? defaults.do_flip_channel_order ?? false
  return {
    ...(config.crop_mode && config.crop_pct ? writtenGeometry(config) : processorGeometry(config, defaults)),
    filter: filterOf(config.resample ?? defaults.resample),
    mean: normalize ? (config.image_mean ?? defaults.image_mean) : [0, 0, 0],
    std: normalize ? (config.image_std ?? defaults.image_std) : [1, 1, 1],
    ...(flips ? { channelOrder: 'bgr' as const } : {}),
  }
}

/** The class that a file names; undefined if it names none. */
export function processorClassOf(json: unknown): string | undefined {
  const config = parseWith(preprocessorConfig, json, fileName)
  return config.image_processor_type ?? config.feature_extractor_type ?? undefined
}

function defaultsOf(config: PreprocessorConfig, otherwise: string | undefined): Defaults {
  const className = config.image_processor_type ?? config.feature_extractor_type ?? otherwise
  const defaults = processorDefaults(className === unknownToTransformers ? undefined : className)
  if (defaults) return defaults
  const accepted = processorFamilies.map((family) => `${family}ImageProcessor`).join(', ')
  throw bad(`image_processor_type is ${className}; accepted are ${accepted}`)
}

/** The geometry of a file that blvit wrote, whose own keys must agree with those of transformers. */
function writtenGeometry(config: PreprocessorConfig): Geometry {
  const { crop_mode: cropMode, crop_pct: cropRatio, crop_size: crop } = config
  if (!cropMode || !cropRatio || !crop) throw bad('crop_mode and crop_pct need a crop_size')
  const geometry: Geometry = { ...square(crop), cropRatio, cropMode }
  const expected = processorOf({
    ...geometry,
    ...(config.do_flip_channel_order ? { channelOrder: 'bgr' as const } : {}),
  }).size
  if (config.size && JSON.stringify(config.size) !== JSON.stringify(expected)) {
    throw bad(
      `size is ${JSON.stringify(config.size)}, but crop_size and crop_pct ${cropRatio} make it ` +
        `${JSON.stringify(expected)}; correct one of them, or remove crop_pct and crop_mode`,
    )
  }
  return geometry
}

function processorGeometry(config: PreprocessorConfig, defaults: Defaults): Geometry {
  const resized = sizeOf(config.size ?? defaults.size, defaults)
  const crops = config.do_center_crop ?? defaults.do_center_crop
  if (!('shortest_edge' in resized)) {
    const input = crops ? square(config.crop_size ?? defaults.crop_size) : resized
    return { ...input, cropRatio: ratioBetween(input, resized), cropMode: 'squash' }
  }
  const edge = resized.shortest_edge
  if (!crops) {
    throw bad(
      'size.shortest_edge without do_center_crop leaves pictures of any shape; add do_center_crop and crop_size',
    )
  }
  const input = square(config.crop_size ?? defaults.crop_size)
  return { ...input, cropRatio: ratioBetween(input, { height: edge, width: edge }), cropMode: 'center' }
}

/** A bare number means a square to the processors that distort, and the short side to the others. */
function sizeOf(size: number | ProcessorSize, defaults: Defaults): ProcessorSize {
  if (typeof size !== 'number') return size
  return 'shortest_edge' in defaults.size ? { shortest_edge: size } : square(size)
}

function square(size: number | Size): Size {
  return typeof size === 'number' ? { height: size, width: size } : { height: size.height, width: size.width }
}

/** The crop ratio with which timm resizes to `resized` before it crops `input`. */
function ratioBetween(input: Size, resized: Size): number {
  const quotient = input.height / resized.height
  // The rounded quotient may be a hair too large, and floor would then lose a pixel.
  for (const ratio of [quotient, quotient * (1 - Number.EPSILON)]) {
    const { height, width } = sizeBeforeCrop(input, ratio)
    if (height === resized.height && width === resized.width) return ratio
  }
  throw bad(
    `crop_size ${input.height} × ${input.width} is not the same share of both sides of ${resized.height} × ${resized.width}`,
  )
}

/**
 * Writes the `preprocessor_config.json` that transformers and transformers.js read, with timm's `crop_pct` and
 * `crop_mode` added, so that {@link readHuggingFacePreprocessing} gives the same preprocessing back.
 * Padding with a border, blue first with a mean, and cropping to a rectangle with the ratio kept are unknown to transformers: such files
 * name a class that it refuses, rather than one that would see other pixels.
 */
export function writeHuggingFacePreprocessing(preprocessing: Preprocessing): Record<string, unknown> {
  const { height, width, cropRatio, cropMode, filter, mean, std, channelOrder } = preprocessing
  const { className, size, crops } = processorOf(preprocessing)
  // the class that turns channels around can't normalise
  const isNormalised = mean.some((value) => value !== 0) || std.some((value) => value !== 1)
  return {
    image_processor_type: channelOrder === 'bgr' && isNormalised ? unknownToTransformers : className,
    do_convert_rgb: mean.length === 3,
    do_resize: true,
    size,
    resample: numberOf(filter),
    do_center_crop: crops,
    crop_size: { height, width },
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: [...mean],
    image_std: [...std],
    ...(channelOrder === 'bgr' ? { do_flip_channel_order: true } : {}),
    crop_pct: cropRatio,
    crop_mode: cropMode,
  }
}

const unknownToTransformers = 'TimmImageProcessor'

/** The class of transformers that does the same, and the size it must be given. */
function processorOf({
  height,
  width,
  cropRatio,
  cropMode,
  channelOrder,
}: Geometry & Pick<Preprocessing, 'channelOrder'>): {
  className: string
  size: ProcessorSize
  crops: boolean
} {
  const target = sizeBeforeCrop({ height, width }, cropRatio)
  const crops = target.height !== height || target.width !== width
  if (channelOrder === 'bgr') {
    // the one class that turns channels around; it keeps the ratio
    const isTheirs = cropMode === 'center' && height === width
    const size = isTheirs ? { shortest_edge: target.height } : target
    return { className: isTheirs ? 'MobileViTImageProcessor' : unknownToTransformers, size, crops: true }
  }
  if (cropMode === 'squash') {
    return { className: crops ? 'DeiTImageProcessor' : 'ViTImageProcessor', size: target, crops }
  }
  if (cropMode === 'center' && height === width) {
    return { className: 'CLIPImageProcessor', size: { shortest_edge: target.height }, crops: true }
  }
  return { className: unknownToTransformers, size: target, crops: true }
}

function filterOf(resample: number): FilterName {
  const filter = filterByNumber.get(resample)
  if (filter === undefined) throw bad(`resample is ${resample}`)
  return filter
}

function numberOf(filter: FilterName): number {
  for (const [number, name] of filterByNumber) if (name === filter) return number
  throw bad(`${filter} has no number in Pillow`)
}

function bad(what: string): BlvitError {
  return new BlvitError('BAD_CONFIG', `${fileName} is not valid: ${what}.`)
}
