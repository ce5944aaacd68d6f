import { BlvitError } from '../base/blvit-error.js'
import type { Size } from './crop-window.js'
import { processorClassOf, readHuggingFacePreprocessing } from './hugging-face-preprocessing.js'
import type { Grey, PerChannel, Preprocessing } from './preprocessing.js'
import { processorOfModelType } from './processor-defaults.js'
import { readTimmPreprocessing } from './timm-preprocessing.js'

/** The parsed JSON files of a model's folder that may say how its pictures are prepared. */
export interface PreprocessingSources {
  /** `preprocessor_config.json` of transformers */
  readonly preprocessorConfig?: unknown
  /** `config.json`: timm's with `pretrained_cfg`, or of transformers with a `model_type` */
  readonly config?: unknown
}

/** timm's preprocessing of the ViTs trained by Google (`vit_*_patch16_224`). */
export const defaultPreprocessing: Preprocessing = {
  height: 224,
  width: 224,
  cropRatio: 0.9,
  cropMode: 'center',
  filter: 'bicubic',
  mean: [0.5, 0.5, 0.5],
  std: [0.5, 0.5, 0.5],
}

/** What a model takes, which its architecture knows best. */
export interface ModelInput {
  /** Side or sides in pixels; they replace those of the files, while the crop ratio stays. */
  readonly imageSize?: number | Size | undefined
  /** Default 3. */
  readonly channels?: number | undefined
  /** How the pictures of its family's training were made; default: as timm's of its ViTs. */
  readonly usual?: Partial<Preprocessing> | undefined
}

/** How pictures are prepared, and what had to be assumed because no file says it. */
export interface FoundPreprocessing {
  readonly preprocessing: Preprocessing
  readonly assumptions: readonly string[]
  /** The size that `preprocessor_config.json` says, whatever the model takes. */
  readonly said?: Size | undefined
}

/**
 * Finds a model's preprocessing: `preprocessor_config.json` if there is one; else what transformers would take for the
 * `model_type`; else timm's `pretrained_cfg`; else what is usual for its family, or {@link defaultPreprocessing}.
 * @throws BlvitError `BAD_CONFIG` when the file that counts has a value that isn't understood
 */
export function findPreprocessing(sources: PreprocessingSources, input: ModelInput = {}): FoundPreprocessing {
  const { imageSize, channels = 3, usual } = input
  const { preprocessing: found, assumptions } = firstOf(sources, usual)
  const { mean, std } = forChannels(found, channels)
  if (imageSize === undefined) return { preprocessing: { ...found, mean, std }, assumptions }
  const { height, width } =
    typeof imageSize === 'number' ? { height: imageSize, width: imageSize } : imageSize
  const said =
    sources.preprocessorConfig === undefined ? undefined : { height: found.height, width: found.width }
  return { preprocessing: { ...found, height, width, mean, std }, assumptions, said }
}

/** A file's mean and deviation for as many channels as the model has. */
function forChannels({ mean, std }: Preprocessing, channels: number): Pick<Preprocessing, 'mean' | 'std'> {
  const matched = (values: PerChannel | Grey, key: string): PerChannel | Grey => {
    const [first, second = first, third = first] = values
    if (channels === 3) return [first, second, third]
    if (first === second && first === third) return [first]
    throw new BlvitError(
      'BAD_CONFIG',
      `The model takes grey pictures, but its preprocessing has three ${key}s, ${values.join(', ')}: give one.`,
    )
  }
  return { mean: matched(mean, 'mean'), std: matched(std, 'std') }
}

/** Keys of config.json that transformers writes for none of these types. */
const ownKeys = ['embed_dim', 'stages']

function firstOf(
  { preprocessorConfig, config }: PreprocessingSources,
  usual: ModelInput['usual'],
): FoundPreprocessing {
  const json: Readonly<Record<string, unknown>> =
    typeof config === 'object' && config !== null ? { ...config } : {}
  const isOurs = ownKeys.some((key) => key in json)
  const className = isOurs ? undefined : processorOfModelType(json.model_type)
  if (preprocessorConfig !== undefined) {
    const preprocessing = readHuggingFacePreprocessing(preprocessorConfig, { className })
    const named = processorClassOf(preprocessorConfig) !== undefined
    const assumed = `preprocessor_config.json names no image_processor_type: ${className ?? 'ViTImageProcessor'} is assumed`
    return { preprocessing, assumptions: named ? [] : [assumed] }
  }
  if ('pretrained_cfg' in json && json.pretrained_cfg) return fromTimm(json.pretrained_cfg)
  if (className !== undefined) {
    const preprocessing = readHuggingFacePreprocessing({}, { className })
    const assumed = `there is no preprocessor_config.json: pictures are prepared by transformers' defaults of ${className}`
    return { preprocessing, assumptions: [`${assumed} (${inWords(preprocessing)})`] }
  }
  const whose = usual ? "the way of its family's training" : "timm's way with its ViTs"
  const preprocessing = { ...defaultPreprocessing, ...usual }
  return {
    preprocessing,
    assumptions: [`no file says how pictures are prepared: ${whose} is taken (${inWords(preprocessing)})`],
  }
}

/** Keys without which timm guesses. */
const decisiveKeys = ['mean', 'std', 'interpolation', 'crop_pct'] as const

function fromTimm(pretrained: unknown): FoundPreprocessing {
  const preprocessing = readTimmPreprocessing(pretrained)
  const said = typeof pretrained === 'object' && pretrained !== null ? pretrained : {}
  const absent = decisiveKeys.filter((key) => !(key in said))
  const assumed = `pretrained_cfg in config.json has no ${absent.join(', ')}: timm's defaults are taken`
  return {
    preprocessing,
    assumptions: absent.length > 0 ? [`${assumed} (${inWords(preprocessing)})`] : [],
  }
}

function inWords({ cropRatio, cropMode, filter, mean, std }: Preprocessing): string {
  const cut = cropMode === 'squash' ? 'squeezed to the size' : 'aspect ratio kept'
  const crop = cropRatio === 1 ? cut : `${cut}, ${cropRatio} of it kept`
  return `${filter}, ${crop}, mean ${mean.join(', ')}, deviation ${std.join(', ')}`
}
