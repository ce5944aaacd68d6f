import { BlvitError } from '../../../base/blvit-error.js'
import { checkOptions, type OptionKeys } from '../../../base/check-options.js'
import type { ImageInput } from '../../../image/image-input.js'
import { type EmbedOptions, embed } from '../../../problems/embed.js'
import { features } from '../../../problems/features.js'
import { type Settings, settingKeys } from '../../../settings/settings.js'
import type { Model } from '../../model.js'

/** Numbers with their shape, as tensors of transformers.js tell it. */
export interface FeatureTensor {
  readonly type: 'float32'
  /** `[pictures, tokens, width]`, or `[pictures, width]` if pooled. */
  readonly dims: readonly number[]
  readonly data: Float32Array
}

/** Settings among them, e.g. `reduce`. */
export interface ImageFeatureExtractionOptions extends Settings, EmbedOptions {
  /** One vector a picture instead of all tokens. Default: true where `pooling` or `normalize` is given. */
  readonly pool?: boolean
  readonly signal?: AbortSignal
}

const optionKeys: OptionKeys<ImageFeatureExtractionOptions> = {
  ...settingKeys,
  pool: true,
  pooling: true,
  normalize: true,
  signal: true,
}

/** Turns pictures into vectors. */
export type ImageFeatureExtraction = (
  images: ImageInput | readonly ImageInput[],
  options?: ImageFeatureExtractionOptions,
) => Promise<FeatureTensor>

function stacked(rows: readonly { shape: readonly number[]; values: Float32Array }[]): FeatureTensor {
  const [first] = rows
  const size = first?.values.length ?? 0
  const data = new Float32Array(rows.length * size)
  rows.forEach(({ values }, row) => {
    data.set(values, row * size)
  })
  return { type: 'float32', dims: [rows.length, ...(first?.shape ?? [])], data }
}

/** As transformers.js has it, for people who come from there; `pooling` and `normalize` as its text pipeline has them. */
export function imageFeatureExtraction(model: Model): ImageFeatureExtraction {
  return async (images, given = {}) => {
    checkOptions('option of image-feature-extraction', given, optionKeys)
    const { pool, pooling, normalize, ...options } = given
    const list = Array.isArray(images) ? (images as readonly ImageInput[]) : [images as ImageInput]
    const pools = pool ?? (pooling !== undefined || normalize !== undefined)
    if (!pools && (pooling ?? normalize) !== undefined) {
      throw new BlvitError(
        'BAD_OPTION',
        'pooling and normalize make one vector a picture, and pool is false. Leave one out.',
      )
    }
    if (!pools) return stacked((await model.answer(features, list, options)).map(({ answer }) => answer))
    const vectors = await model.answer(embed, list, { pooling, normalize, ...options })
    return stacked(vectors.map(({ answer }) => ({ shape: [answer.length], values: answer })))
  }
}
