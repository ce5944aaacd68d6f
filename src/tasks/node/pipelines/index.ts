import { BlvitError } from '../../../base/blvit-error.js'
import { didYouMean } from '../../../base/suggest.js'
import type { Model } from '../../model.js'
import { type LoadModelOptions, load } from '../load.js'
import { imageClassification } from './image-classification.js'
import { imageFeatureExtraction } from './image-feature-extraction.js'

/** Every pipeline. Adding one is its file and a line here. */
const pipelines = {
  'image-classification': imageClassification,
  'image-feature-extraction': imageFeatureExtraction,
} satisfies Record<string, (model: Model) => unknown>

export type PipelineTask = keyof typeof pipelines

/** A loaded pipeline: call it with a picture or an array of pictures. */
export type Pipeline<Task extends PipelineTask> = ReturnType<(typeof pipelines)[Task]> &
  AsyncDisposable & { readonly model: Model; dispose(): Promise<void> }

/**
 * The same call as in transformers.js, for people who come from there.
 * @throws BlvitError `UNSUPPORTED` for another task; else as {@link load}
 * @example
 * const classifier = await pipeline('image-classification')
 * const [best] = await classifier('hummingbird.jpg', { top_k: 1 })
 */
export async function pipeline<Task extends PipelineTask>(
  task: Task,
  reference?: string,
  options: LoadModelOptions = {},
): Promise<Pipeline<Task>> {
  if (!Object.hasOwn(pipelines, task)) {
    const known = Object.keys(pipelines)
    throw new BlvitError(
      'UNSUPPORTED',
      `blvit has no pipeline "${task}".${didYouMean(task, known)} It has ${known.join(', ')}.`,
    )
  }
  const model = await load(reference, options)
  const dispose = () => model.dispose()
  return Object.assign(pipelines[task](model) as ReturnType<(typeof pipelines)[Task]> & object, {
    model,
    dispose,
    [Symbol.asyncDispose]: dispose,
  })
}
