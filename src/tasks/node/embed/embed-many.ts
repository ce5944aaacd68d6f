import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { z } from 'zod'
import { checkBatch } from '../../../base/ahead.js'
import type { RunIdentity } from '../../../base/run-identity.js'
import type { PictureInput } from '../../../data/expand-inputs.js'
import { defaultStatePath, StateFile, type StateKind } from '../../../files/state-file.js'
import { type EmbedOptions, embed } from '../../../problems/embed.js'
import { engineIdentity } from '../../../runtime/engine-identity.js'
import type { Model, RunOptions } from '../../model.js'
import { answerBatches } from '../answer-many.js'

/** What came of a picture, as a state file keeps it. */
const outcomeSchema = z.object({
  name: z.string(),
  /** float32, little-endian, as base64: to the bit, and a third of the size of numbers in JSON. */
  vector: z.base64().optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
})
type Outcome = z.infer<typeof outcomeSchema>

const stateKind: StateKind<Outcome> = { name: 'embedding', command: 'blvit embed', outcome: outcomeSchema }

/** What came of a picture. */
export type EmbeddedPicture =
  | { readonly name: string; readonly vector: Float32Array }
  | { readonly name: string; readonly error: { readonly code: string; readonly message: string } }

export interface EmbedManyOptions extends EmbedOptions, RunOptions {
  /** Pictures per run of an engine. Default: 8, or what is fastest where several engines work beside each other. */
  readonly batch?: number | undefined
  /**
   * A file that keeps what is done, so that the same call goes on after a kill and ends with the same vectors. `true`: a
   * file in the user's cache, which is deleted at the end. Default: nothing is kept.
   */
  readonly resume?: string | true | undefined
  readonly onProgress?: ((progress: { done: number; total: number; resumed: number }) => void) | undefined
  /** Called for each picture in order, those of earlier runs included. */
  readonly onPicture?: ((picture: EmbeddedPicture) => void) | undefined
  /** Awaited before a `resume: true` deletes its file: where writing the vectors down fails, nothing is lost. */
  readonly onResult?: ((pictures: readonly EmbeddedPicture[]) => Promise<void>) | undefined
}

/** Size and time of change of a file; what isn't one is known by its name alone. */
async function statusOf({ name, source }: PictureInput): Promise<string> {
  if (typeof source !== 'string') return `${name}: ${createHash('sha256').update(source).digest('hex')}`
  const status = await stat(source).catch(() => undefined)
  return `${name}: ${status ? `${status.size} ${status.mtimeMs}` : 'no file'}`
}

async function identityOf(
  model: Model,
  pictures: readonly PictureInput[],
  { batch, pooling, normalize, exact, seed, ...settings }: EmbedManyOptions,
): Promise<RunIdentity> {
  const hash = createHash('sha256')
  for (const picture of pictures) hash.update(`${await statusOf(picture)}\n`)
  return {
    model: await model.fingerprint(),
    pictures: hash.digest('hex'),
    setting: model.resolve(settings).key,
    pooling: pooling ?? 'default',
    normalize: `${normalize ?? false}`,
    exact: `${exact ?? false}`,
    seed: `${seed ?? 0}`,
    batch: `${batch ?? 'as is fastest'}`,
    ...engineIdentity(model.engine, model.engineOptions),
  }
}

function toOutcome(picture: EmbeddedPicture): Outcome {
  if ('error' in picture) return picture
  const { buffer, byteOffset, byteLength } = picture.vector
  return { name: picture.name, vector: Buffer.from(buffer, byteOffset, byteLength).toString('base64') }
}

function fromOutcome({ name, vector, error }: Outcome): EmbeddedPicture {
  if (error) return { name, error }
  const bytes = Uint8Array.from(Buffer.from(vector ?? '', 'base64'))
  return { name, vector: new Float32Array(bytes.buffer) }
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
  { resume, onProgress, onPicture, onResult, ...given }: EmbedManyOptions = {},
): Promise<readonly EmbeddedPicture[]> {
  checkBatch(given.batch)
  const expected = pictures.length
  model.check(embed, given)
  const identity = resume === undefined ? {} : await identityOf(model, pictures, given)
  const batch = given.batch ?? model.batchFor(expected, given)
  const options = { ...given, batch, expected }
  const path = resume === true ? await defaultStatePath(identity, stateKind) : resume
  await using state = path === undefined ? undefined : await StateFile.open(path, identity, stateKind)
  const embedded: EmbeddedPicture[] = []
  const add = (picture: EmbeddedPicture) => {
    embedded.push(picture)
    onPicture?.(picture)
  }
  for (const outcome of state?.outcomes ?? []) add(fromOutcome(outcome))
  const resumed = embedded.length
  for await (const answers of answerBatches(model, embed, pictures.slice(resumed), options)) {
    const batchOf = answers.map(
      (picture): EmbeddedPicture =>
        'error' in picture
          ? { name: picture.name, error: { code: picture.error.code, message: picture.error.message } }
          : { name: picture.name, vector: picture.answer },
    )
    await state?.append(batchOf.map(toOutcome))
    for (const picture of batchOf) add(picture)
    onProgress?.({ done: embedded.length, total: pictures.length, resumed })
  }
  await onResult?.(embedded)
  if (resume === true) await state?.remove()
  return embedded
}
