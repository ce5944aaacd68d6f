import type { BlvitError } from '../../base/blvit-error.js'
import type { PictureInput } from '../../data/expand-inputs.js'
import { type Classification, classify, type ScoredLabel } from '../../problems/classify.js'
import type { ClassifyOptions, Model } from '../model.js'
import { answerBatches, type ManyOptions, type PictureAnswer } from './answer-many.js'
import type { KeepOptions } from './kept-answers.js'

export interface ClassifyManyOptions extends ClassifyOptions, ManyOptions, KeepOptions {}

/** What was said of one picture. */
export type PictureResult =
  | { readonly name: string; readonly classification: Classification }
  | { readonly name: string; readonly error: BlvitError }

/**
 * Classifies many pictures and yields their results in order, decoding the next ones while the engine works.
 * A picture that can't be read gives its error and doesn't stop the others.
 * @throws BlvitError `ABORTED`, `ENGINE`, `BAD_OPTION`, `WRITE_FAILED`
 */
export async function* classifyMany(
  model: Model,
  pictures: readonly PictureInput[],
  { shard, resume, ...options }: ClassifyManyOptions = {},
): AsyncGenerator<PictureResult> {
  if (shard === undefined && resume === undefined) {
    for await (const answers of answerBatches(model, classify, pictures, options))
      yield* answers.map(pictureResult)
    return
  }
  // read only for who keeps answers: whoever classifies one photograph waits for every module
  const { keptClassifications } = await import('./kept-classifications.js')
  for await (const { answers } of keptClassifications(model, pictures, { shard, resume, ...options }))
    yield* answers.map(pictureResult)
}

/** An answer as {@link classifyMany} gives it. */
export function pictureResult(picture: PictureAnswer<readonly ScoredLabel[]>): PictureResult {
  const { name } = picture
  if ('error' in picture) return { name, error: picture.error }
  const { elapsedMs, stage } = picture
  return { name, classification: { top: picture.answer, elapsedMs, ...(stage && { stage }) } }
}
