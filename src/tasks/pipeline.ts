import { BlvitError } from '../base/blvit-error.js'
import { didYouMean } from '../base/suggest.js'
import type { ImageInput } from '../image/image-input.js'
import type { Classification } from '../problems/classify.js'
import { type LoadModelOptions, load } from './load.js'
import type { Model } from './model.js'

/** A label in the form of transformers and transformers.js. */
export interface LabelScore {
  readonly label: string
  /** Probability, 0 … 1. */
  readonly score: number
}

export interface ImageClassificationOptions {
  /** How many labels. Default 5. */
  readonly top_k?: number
  /** Share of patches for the big blocks. Default: the model's own. */
  readonly keepRatio?: number
  readonly signal?: AbortSignal
}

/** A loaded pipeline: call it with a picture or an array of pictures. */
export interface ImageClassificationPipeline extends AsyncDisposable {
  (image: ImageInput, options?: ImageClassificationOptions): Promise<LabelScore[]>
  (images: readonly ImageInput[], options?: ImageClassificationOptions): Promise<LabelScore[][]>
  readonly model: Model
  dispose(): Promise<void>
}

const tasks = ['image-classification'] as const

function labelScores({ top }: Classification): LabelScore[] {
  return top.map(({ label, probability }) => ({ label, score: probability }))
}

/**
 * The same call as in transformers.js, for people who come from there.
 * @throws BlvitError `UNSUPPORTED` for another task; else as {@link load}
 * @example
 * const classifier = await pipeline('image-classification')
 * const [best] = await classifier('hummingbird.jpg', { top_k: 1 })
 */
export async function pipeline(
  task: (typeof tasks)[number],
  reference?: string,
  options: LoadModelOptions = {},
): Promise<ImageClassificationPipeline> {
  if (!tasks.includes(task)) {
    throw new BlvitError(
      'UNSUPPORTED',
      `blvit has no pipeline "${task}".${didYouMean(task, tasks)} It has ${tasks.join(', ')}.`,
    )
  }
  const model = await load(reference, options)
  const classify = async (
    images: ImageInput | readonly ImageInput[],
    given: ImageClassificationOptions = {},
  ) => {
    const { top_k: top = 5, ...rest } = given
    if (Array.isArray(images)) {
      const results = await model.classify(images as readonly ImageInput[], { top, ...rest })
      return results.map(labelScores)
    }
    return labelScores(await model.classify(images as ImageInput, { top, ...rest }))
  }
  const dispose = () => model.dispose()
  return Object.assign(classify as ImageClassificationPipeline, {
    model,
    dispose,
    [Symbol.asyncDispose]: dispose,
  })
}
