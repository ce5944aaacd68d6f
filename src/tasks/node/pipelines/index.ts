import { BlvitError } from '../../../base/blvit-error.js'
import { didYouMean } from '../../../base/suggest.js'
import { type LoadModelOptions, load } from '../load.js'
import { loadSegmenter } from '../segment/load-segmenter.js'
import { imageClassification } from './image-classification.js'
import { imageFeatureExtraction } from './image-feature-extraction.js'
import { maskGeneration } from './mask-generation.js'

/** What a pipeline runs. */
interface Loaded {
  dispose(): Promise<void>
}

/** What can be called, with the model behind it. */
type Opened<Call, Model> = Call & AsyncDisposable & { readonly model: Model; dispose(): Promise<void> }

/** A pipeline that is made of what `open` loads. */
function madeOf<Model extends Loaded, Call extends object>(
  open: (reference: string | undefined, options: LoadModelOptions) => Promise<Model>,
  make: (model: Model) => Call,
): (reference: string | undefined, options: LoadModelOptions) => Promise<Opened<Call, Model>> {
  return async (reference, options) => {
    const model = await open(reference, options)
    const dispose = () => model.dispose()
    return Object.assign(make(model), { model, dispose, [Symbol.asyncDispose]: dispose })
  }
}

/** Every pipeline. Adding one is its file and a line here. */
const pipelines = {
  'image-classification': madeOf(load, imageClassification),
  'image-feature-extraction': madeOf(load, imageFeatureExtraction),
  'mask-generation': madeOf(loadSegmenter, maskGeneration),
}

export type PipelineTask = keyof typeof pipelines

/** A loaded pipeline: call it with a picture or, where it takes several, an array of pictures. */
export type Pipeline<Task extends PipelineTask> = Awaited<ReturnType<(typeof pipelines)[Task]>>

/**
 * The same call as in transformers.js, for people who come from there.
 * @param reference by default the model that ships; `mask-generation` needs one
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
  return (await pipelines[task](reference, options)) as Pipeline<Task>
}
