import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { z } from 'zod'
import { checkBatch } from '../../base/ahead.js'
import { defined } from '../../base/assert.js'
import { BlvitError, type ErrorCode } from '../../base/blvit-error.js'
import type { RunIdentity } from '../../base/run-identity.js'
import { checkShard, dealtByName, orderByName, type Shard, shardText, whole } from '../../base/shard.js'
import type { PictureInput } from '../../data/expand-inputs.js'
import { packageVersion } from '../../files/package-file.js'
import { defaultStatePath, StateFile, type StateKind } from '../../files/state-file.js'
import type { Problem } from '../../problems/problem.js'
import { engineIdentity } from '../../runtime/engine-identity.js'
import type { Model } from '../model.js'
import type { RunOptions } from '../model-answers.js'
import { answerBatches, type ManyOptions, type PictureAnswer } from './answer-many.js'

export interface KeepOptions {
  /**
   * Only the share of one of several runs, dealt by name whatever the pictures' order. Its state file is a part for
   * {@link mergeParts}. Default: all.
   */
  readonly shard?: Shard | undefined
  /**
   * A file that keeps what is done, so that the same call goes on after a kill and ends with the same answers. `true`: a
   * file in the user's cache, which is deleted at the end. Default: nothing is kept.
   */
  readonly resume?: string | true | undefined
}

/** What a finished run over a list says besides. */
export const placesSchema = z.object({
  /** Of its pictures in the whole list, from 0. */
  places: z.array(z.int()),
})

const errorSchema = z.codec(z.object({ code: z.string(), message: z.string() }), z.instanceof(BlvitError), {
  decode: ({ code, message }) => new BlvitError(code as ErrorCode, message),
  encode: ({ code, message }) => ({ code, message }),
})

/** Of a run in two stages, the one that answered. */
export const stageSchema = z.literal([1, 2]).optional()

/** How state files keep the answers to a problem. @param answer the schema of one */
export function answerSchema<Answer>(answer: z.ZodType<Answer>): z.ZodType<PictureAnswer<Answer>> {
  return z.union([
    z.object({ name: z.string(), answer, elapsedMs: z.number(), stage: stageSchema }),
    z.object({ name: z.string(), error: errorSchema }),
  ]) as z.ZodType<PictureAnswer<Answer>>
}

/** Some answers, and how far the run is. */
export interface AnswersSoFar<Answer> {
  readonly answers: readonly PictureAnswer<Answer>[]
  readonly done: number
  readonly total: number
  /** Pictures that earlier runs had done. */
  readonly resumed: number
}

/** How answers are kept. */
interface Keeping<Answer, Report> {
  readonly kind: StateKind<PictureAnswer<Answer>, Report & z.infer<typeof placesSchema>>
  /** The problem's own options, as people read them. */
  readonly asked: RunIdentity
  readonly report: Report
  /** Pictures per run, where nothing is said and one engine does all. Default 1. */
  readonly batch?: number | undefined
  /** Awaited before a `resume: true` deletes its file. */
  readonly onEnd?: (() => Promise<void>) | undefined
}

/**
 * {@link answerBatches} for a shard of the pictures, with a file that keeps the answers: those of earlier runs come first.
 * @throws BlvitError `BAD_OPTION`, `ENGINE`, `ABORTED`, `WRITE_FAILED`, `UNSUPPORTED`
 */
export async function* keptAnswers<Answer, Options extends object, Report>(
  model: Model,
  problem: Problem<Answer, Options>,
  pictures: readonly PictureInput[],
  { shard = whole, resume, ...options }: KeepOptions & ManyOptions & RunOptions & Options,
  { kind, asked, report, batch: usualBatch = 1, onEnd }: Keeping<Answer, Report>,
): AsyncGenerator<AnswersSoFar<Answer>> {
  checkShard(shard)
  checkBatch(options.batch)
  const expected = options.expected ?? pictures.length
  const batch = options.batch ?? model.batchFor(expected, options, { otherwise: usualBatch })
  // what is left of the options is the problem's and the run's: TypeScript can't tell so of a rest of generics
  const rest = { ...options, batch, expected } as unknown as ManyOptions & RunOptions & Options
  const { batch: _batch, expected: _expected, ...own } = options
  model.check(problem, own as unknown as RunOptions & Options)
  const places = dealtByName(pictures, { shard, hand: handOf(model, batch) })
  const dealt = places.flatMap((place) => pictures[place] ?? [])
  const identity =
    resume === undefined
      ? {}
      : { ...(await identityOf(model, pictures, { ...rest, batch: options.batch, shard })), ...asked }
  const path = resume === true ? await defaultStatePath(identity, kind) : resume
  await using state = path === undefined ? undefined : await StateFile.open(path, identity, kind)
  const resumed = state?.outcomes.length ?? 0
  let done = resumed
  if (state && resumed > 0) yield { answers: state.outcomes, done, total: dealt.length, resumed }
  for await (const answers of answerBatches(model, problem, dealt.slice(resumed), rest)) {
    await state?.append(answers)
    done += answers.length
    yield { answers, done, total: dealt.length, resumed }
  }
  await state?.end({ ...report, places })
  await onEnd?.()
  if (resume === true) await state?.remove()
}

/**
 * How many pictures are dealt together. In int8 the pictures of one run of the engine share their scales, so that an answer
 * depends on its neighbours: whole batches stay together, and with them the answers of one process.
 */
export function handOf({ engineOptions }: Model, batch: number): number {
  return engineOptions.precision === 'int8' ? batch : 1
}

/** What the answers depend on; of a shard all that doesn't differ between machines. */
async function identityOf(
  model: Model,
  pictures: readonly PictureInput[],
  {
    batch,
    shard,
    exact,
    seed,
    ...settings
  }: RunOptions & { readonly batch: number | undefined; readonly shard: Shard },
): Promise<RunIdentity> {
  const order = orderByName(pictures)
  const statuses = createHash('sha256')
  for (const place of order) statuses.update(`${await statusOf(pictures[place], shard)}\n`)
  const isSorted = order.every((place, rank) => place === rank)
  const names = createHash('sha256').update(JSON.stringify(pictures.map(({ name }) => name)))
  return {
    version: packageVersion(),
    model: await model.fingerprint(),
    pictures: statuses.digest('hex'),
    order: isSorted ? 'by name' : names.digest('hex'),
    shard: shardText(shard),
    setting: model.resolve(settings).key,
    exact: `${exact ?? false}`,
    seed: `${seed ?? 0}`,
    batch: `${batch ?? 'as is fastest'}`,
    ...engineIdentity(model.engine, model.engineOptions),
  }
}

/** Size of a file, and its time of change, which copies on other machines needn't have; of what isn't one the name alone. */
async function statusOf(picture: PictureInput | undefined, { count }: Shard): Promise<string> {
  const { name, source } = defined(picture, 'a picture of the list')
  if (typeof source !== 'string') return `${name}: ${createHash('sha256').update(source).digest('hex')}`
  const status = await stat(source).catch(() => undefined)
  if (!status) return `${name}: no file`
  return count === 1 ? `${name}: ${status.size} ${status.mtimeMs}` : `${name}: ${status.size}`
}
