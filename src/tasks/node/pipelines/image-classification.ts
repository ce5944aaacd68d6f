import { checkOptions, type OptionKeys } from '../../../base/check-options.js'
import type { ImageInput } from '../../../image/image-input.js'
import { type Classification, checkTop } from '../../../problems/classify.js'
import { type Settings, settingKeys } from '../../../settings/settings.js'
import type { Model } from '../../model.js'

/** A label in the form of transformers and transformers.js. */
export interface LabelScore {
  readonly label: string
  /** Probability, 0 … 1. */
  readonly score: number
}

/** Settings among them, e.g. `keepRatio`. */
export interface ImageClassificationOptions extends Settings {
  /** How many labels, from 1; null: all. Default 5. */
  readonly top_k?: number | null
  readonly signal?: AbortSignal
}

const optionKeys: OptionKeys<ImageClassificationOptions> = { ...settingKeys, top_k: true, signal: true }

/** Says what is on a picture, or on each of several. */
export interface ImageClassification {
  (image: ImageInput, options?: ImageClassificationOptions): Promise<LabelScore[]>
  (images: readonly ImageInput[], options?: ImageClassificationOptions): Promise<LabelScore[][]>
}

function labelScores({ top }: Classification): LabelScore[] {
  return top.map(({ label, probability }) => ({ label, score: probability }))
}

/** As transformers.js has it, for people who come from there. */
export function imageClassification(model: Model): ImageClassification {
  const classify = async (
    images: ImageInput | readonly ImageInput[],
    given: ImageClassificationOptions = {},
  ) => {
    checkOptions('option of image-classification', given, optionKeys)
    const { top_k: topK = 5, ...others } = given
    if (topK !== null) checkTop(topK, { name: 'top_k', all: 'null' })
    const options = { top: topK ?? Number.POSITIVE_INFINITY, ...others }
    return Array.isArray(images)
      ? (await model.classify(images as readonly ImageInput[], options)).map(labelScores)
      : labelScores(await model.classify(images as ImageInput, options))
  }
  return classify as ImageClassification
}
