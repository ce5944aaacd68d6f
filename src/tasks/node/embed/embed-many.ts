import { z } from 'zod'
import type { PictureInput } from '../../../data/expand-inputs.js'
import type { StateKind } from '../../../files/state-file.js'
import { type EmbedOptions, embed } from '../../../problems/embed.js'
import type { Model } from '../../model.js'
import type { RunOptions } from '../../model-answers.js'
import type { ManyOptions, PictureAnswer } from '../answer-many.js'
import {
  type AnswersSoFar,
  answerSchema,
  type KeepOptions,
  keptAnswers,
  placesSchema,
} from '../kept-answers.js'

/** float32, little-endian, as base64: to the bit, and a third of the size of numbers in JSON. */
const vectorSchema = z.codec(z.base64(), z.instanceof(Float32Array), {
  decode: (text) => new Float32Array(Uint8Array.from(Buffer.from(text, 'base64')).buffer),
  encode: ({ buffer, byteOffset, byteLength }) =>
    Buffer.from(buffer, byteOffset, byteLength).toString('base64'),
})

/** How the vectors of many pictures are kept. */
export const embeddingKind: StateKind<PictureAnswer<Float32Array>, { readonly places: number[] }> = {
  name: 'embedding',
  command: 'blvit embed',
  outcome: answerSchema(vectorSchema),
  report: placesSchema,
}

/** What came of a picture. */
export type EmbeddedPicture =
  | { readonly name: string; readonly vector: Float32Array }
  | { readonly name: string; readonly error: { readonly code: string; readonly message: string } }

export interface EmbedManyOptions extends EmbedOptions, ManyOptions, RunOptions, KeepOptions {}

/** An answer as {@link embedMany} gives it. */
export function embeddedPicture(picture: PictureAnswer<Float32Array>): EmbeddedPicture {
  const { name } = picture
  if (!('error' in picture)) return { name, vector: picture.answer }
  const { code, message } = picture.error
  return { name, error: { code, message } }
}

/**
 * The answers of {@link embedMany}, with how far it is.
 * @param options `onEnd`: awaited before a `resume: true` deletes its file: where writing the vectors down fails, nothing is
 *   lost
 * @throws BlvitError as `keptAnswers`
 */
export function keptEmbeddings(
  model: Model,
  pictures: readonly PictureInput[],
  { onEnd, ...options }: EmbedManyOptions & { readonly onEnd?: (() => Promise<void>) | undefined },
): AsyncGenerator<AnswersSoFar<Float32Array>> {
  const { pooling, normalize } = options
  return keptAnswers(model, embed, pictures, options, {
    kind: embeddingKind,
    asked: { pooling: pooling ?? 'default', normalize: `${normalize ?? false}` },
    report: {},
    batch: 8,
    onEnd,
  })
}

/**
 * The vectors of many pictures, yielded in order, decoding the next ones while the engine works. A picture that can't be
 * read gives its error and doesn't stop the others. Default `batch`: 8, or what is fastest where several engines work beside
 * each other.
 * @throws BlvitError `BAD_OPTION`, `ENGINE`, `ABORTED`, `WRITE_FAILED`, `UNSUPPORTED`
 * @example
 * for await (const picture of embedMany(model, [{ name: 'kite', source: 'kite.jpg' }], { pooling: 'mean' }))
 *   if ('vector' in picture) console.log(picture.name, picture.vector)
 */
export async function* embedMany(
  model: Model,
  pictures: readonly PictureInput[],
  options: EmbedManyOptions = {},
): AsyncGenerator<EmbeddedPicture> {
  for await (const { answers } of keptEmbeddings(model, pictures, options))
    yield* answers.map(embeddedPicture)
}
