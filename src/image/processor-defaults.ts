import type { Size } from './crop-window.js'
import type { PerChannel } from './preprocessing.js'

/** `{ height, width }` distorts to exactly that; `{ shortest_edge }` keeps the aspect ratio. */
export type ProcessorSize = Size | { readonly shortest_edge: number }

/** What an image processor of transformers takes for keys that `preprocessor_config.json` leaves out. */
interface ProcessorDefaults {
  readonly size: ProcessorSize
  /** Pillow's number of the filter */
  readonly resample: number
  readonly do_center_crop: boolean
  readonly crop_size: Size
  readonly image_mean: PerChannel
  readonly image_std: PerChannel
  /** default true */
  readonly do_normalize?: boolean
  /** default false */
  readonly do_flip_channel_order?: boolean
}

const halves: PerChannel = [0.5, 0.5, 0.5]
const square224: Size = { height: 224, width: 224 }
const bilinear = 2
const bicubic = 3

const vit: ProcessorDefaults = {
  size: square224,
  resample: bilinear,
  do_center_crop: false,
  crop_size: square224,
  image_mean: halves,
  image_std: halves,
}

const deit: ProcessorDefaults = {
  ...vit,
  size: { height: 256, width: 256 },
  resample: bicubic,
  do_center_crop: true,
}

const clip: ProcessorDefaults = {
  size: { shortest_edge: 224 },
  resample: bicubic,
  do_center_crop: true,
  crop_size: square224,
  // OpenAI's statistics of the CLIP training pictures
  image_mean: [0.48145466, 0.4578275, 0.40821073],
  image_std: [0.26862954, 0.26130258, 0.27577711],
}

/** Values of 0 to 1 as they are, blue first. */
const mobileVit: ProcessorDefaults = {
  size: { shortest_edge: 224 },
  resample: bilinear,
  do_center_crop: true,
  crop_size: { height: 256, width: 256 },
  image_mean: [0, 0, 0],
  image_std: [1, 1, 1],
  do_normalize: false,
  do_flip_channel_order: true,
}

/** By class name without its ending (`ImageProcessor`, `ImageProcessorFast`, `FeatureExtractor`). */
const defaultsByFamily: ReadonlyMap<string, ProcessorDefaults> = new Map([
  ['ViT', vit],
  ['DeiT', deit],
  ['CLIP', clip],
  ['Bit', clip],
  ['MobileViT', mobileVit],
])

/** What transformers takes for a `model_type` where no file names a class (its `auto/image_processing_auto.py`). */
const familyByModelType: Readonly<Record<string, string>> = {
  vit: 'ViT',
  deit: 'DeiT',
  dinov2: 'Bit',
  dinov2_with_registers: 'Bit',
  clip: 'CLIP',
  clip_vision_model: 'CLIP',
  mobilevit: 'MobileViT',
}

/** The class of image processor that a type of model has in transformers; undefined for a type of another library. */
export function processorOfModelType(type: unknown): string | undefined {
  const known = typeof type === 'string' && Object.hasOwn(familyByModelType, type)
  return known ? `${familyByModelType[type]}ImageProcessor` : undefined
}

export const processorFamilies = [...defaultsByFamily.keys()]

/** The defaults of a class such as `DeiTImageProcessorFast`; ViT's when no class is named. */
export function processorDefaults(className: string | undefined): ProcessorDefaults | undefined {
  if (className === undefined) return vit
  return defaultsByFamily.get(className.replace(/(ImageProcessor(Fast)?|FeatureExtractor)$/, ''))
}
