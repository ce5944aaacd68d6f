import { preparedBatches } from '../base/ahead.js'
import { BlvitError, throwIfAborted } from '../base/blvit-error.js'
import type { PictureInput } from '../data/expand-inputs.js'
import { type Classification, checkTop, classify } from '../problems/classify.js'
import type { ClassifyOptions, Model } from './model.js'

export interface ClassifyManyOptions extends ClassifyOptions {
  /** Pictures per run of the engine. Default 1. */
  readonly batch?: number | undefined
}

/** What came of one picture. */
export type PictureResult =
  | { readonly name: string; readonly classification: Classification }
  | { readonly name: string; readonly error: BlvitError }

type Prepared = { readonly name: string } & (
  | { readonly pixels: Float32Array }
  | { readonly error: BlvitError }
)

/**
 * Classifies many pictures and yields their results in order, decoding the next ones while the engine works.
 * A picture that can't be read gives its error and doesn't stop the others.
 * @throws BlvitError `ABORTED`, `ENGINE`, `BAD_OPTION`
 */
export async function* classifyMany(
  model: Model,
  pictures: readonly PictureInput[],
  { batch = 1, ...options }: ClassifyManyOptions = {},
): AsyncGenerator<PictureResult> {
  checkTop(options.top ?? 5)
  const prepare = async ({ name, source }: PictureInput): Promise<Prepared> => {
    try {
      return { name, pixels: await model.prepare(source, options) }
    } catch (error) {
      if (!(error instanceof BlvitError) || error.code === 'ABORTED') throw error
      return { name, error }
    }
  }
  // The engine loads while the first pictures are decoded; if it can't, their run says why.
  model.warmUp().catch(() => {})
  for await (const prepared of preparedBatches(pictures, prepare, { batch })) {
    throwIfAborted(options.signal)
    yield* classifyBatch(model, prepared, options)
  }
}

async function* classifyBatch(
  model: Model,
  prepared: readonly Prepared[],
  options: ClassifyOptions,
): AsyncGenerator<PictureResult> {
  const pixels = prepared.flatMap((picture) => ('pixels' in picture ? [picture.pixels] : []))
  const answers = pixels.length > 0 ? await model.answerPrepared(classify, pixels, options) : []
  const classifications = answers.map(({ answer, elapsedMs }) => ({ top: answer, elapsedMs }))
  let next = 0
  for (const picture of prepared) {
    if ('error' in picture) yield picture
    else yield { name: picture.name, classification: classifications[next++] as Classification }
  }
}
