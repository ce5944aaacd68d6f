import { z } from 'zod'
import type { PictureInput } from '../../../data/expand-inputs.js'
import type { StateKind } from '../../../files/state-file.js'
import { type EmbedOptions, embed } from '../../../problems/embed.js'
import type { Model, RunOptions } from '../../model.js'
import type { PictureAnswer } from '../answer-many.js'
import { answerSchema, type KeepOptions, keptAnswers, placesSchema } from '../kept-answers.js'

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

export interface EmbedManyOptions extends EmbedOptions, RunOptions, KeepOptions {
  /** Pictures per run of an engine. Default: 8, or what is fastest where several engines work beside each other. */
  readonly batch?: number | undefined
  readonly onProgress?: ((progress: { done: number; total: number; resumed: number }) => void) | undefined
  /** Called for each picture in order, those of earlier runs included. */
  readonly onPicture?: ((picture: EmbeddedPicture) => void) | undefined
  /** Awaited before a `resume: true` deletes its file: where writing the vectors down fails, nothing is lost. */
  readonly onResult?: ((pictures: readonly EmbeddedPicture[]) => Promise<void>) | undefined
}

/** An answer as {@link embedMany} gives it. */
export function embeddedPicture(picture: PictureAnswer<Float32Array>): EmbeddedPicture {
  const { name } = picture
  if (!('error' in picture)) return { name, vector: picture.answer }
  const { code, message } = picture.error
  return { name, error: { code, message } }
}

/**
 * The vectors of many pictures, in order, decoding the next ones while the engine works. A picture that can't be read
 * gives its error and doesn't stop the others.
 * @throws BlvitError `BAD_OPTION`, `ENGINE`, `ABORTED`, `WRITE_FAILED`, `UNSUPPORTED`
 * @example
 * const pictures = await embedMany(model, [{ name: 'kite', source: 'kite.jpg' }], { pooling: 'mean' })
 */
export async function embedMany(
  model: Model,
  pictures: readonly PictureInput[],
  { onProgress, onPicture, onResult, ...given }: EmbedManyOptions = {},
): Promise<readonly EmbeddedPicture[]> {
  const { pooling, normalize } = given
  const embedded: EmbeddedPicture[] = []
  const keeping = {
    kind: embeddingKind,
    asked: { pooling: pooling ?? 'default', normalize: `${normalize ?? false}` },
    report: {},
    batch: 8,
    onEnd: async () => onResult?.(embedded),
  }
  const run = keptAnswers(model, embed, pictures, given, keeping)
  for await (const { answers, ...progress } of run) {
    for (const picture of answers.map(embeddedPicture)) {
      embedded.push(picture)
      onPicture?.(picture)
    }
    onProgress?.(progress)
  }
  return embedded
}
