import { defined } from '../../../base/assert.js'
import { BlvitError, messageAbout } from '../../../base/blvit-error.js'
import type { DataItem } from '../../../data/data-set.js'
import { decodeImage } from '../../../image/node/decode.js'
import type { Preprocessing } from '../../../image/preprocessing.js'
import { type ClassOrder, inOrder } from '../../../problems/class-order.js'
import { logits } from '../../../problems/logits.js'
import type { Settings } from '../../../settings/settings.js'
import type { Model } from '../../model.js'
import type { Answered } from '../../two-stages.js'
import { answerOf, type PictureOutcome, type Truth } from './picture-outcome.js'
import type { EvaluatedSetting } from './tally.js'

/** A picture that is ready for the engines, or why it isn't. */
export type PreparedItem = { readonly readShare: number | undefined } & (
  | {
      readonly name: string
      readonly truth: Truth
      /** For each setting of the model, and for the teacher, all `[channels, height, width]`. */
      readonly pixels: readonly Float32Array[]
      readonly teacherPixels: Float32Array | undefined
    }
  | { readonly failed: PictureOutcome }
)

export interface PictureRunnerOptions {
  readonly teacher: Model | undefined
  /** Where the model's classes are among the teacher's. */
  readonly teacherClasses: ClassOrder | undefined
  readonly settings: readonly EvaluatedSetting[]
  readonly seed: number | undefined
  readonly signal: AbortSignal | undefined
}

/** What is done with each picture: decoded once, then run at each setting and by the teacher. */
export function pictureRunner(
  model: Model,
  { teacher, teacherClasses, settings, seed, signal }: PictureRunnerOptions,
) {
  const busy = busyTime()
  const caller = {}
  // Two models of one training recipe see the same pixels; preparing them twice would cost as much as decoding.
  const own = settings.map(({ values }) => model.preprocessingsFor(values))
  const preparedAs = (wanted: readonly Preprocessing[]) =>
    own.findIndex((known) => JSON.stringify(known) === JSON.stringify(wanted))
  const firstAlike = own.map(preparedAs)
  const teacherAlike = teacher ? preparedAs([teacher.preprocessing]) : 0

  const prepare = async (item: DataItem): Promise<PreparedItem> => {
    const { name, readShare } = item
    if ('error' in item) return { failed: failure(name, {}, item.error), readShare }
    const { source, label, labels } = item
    const truth = { ...(label !== undefined && { label }), ...(labels && { labels: [...labels] }) }
    try {
      if (label === undefined && !labels && !teacher) throw withoutLabel(name)
      const picture = await decodeImage(source, { signal })
      const pixels: Float32Array[] = []
      for (const [index, { values }] of settings.entries())
        pixels.push(pixels[firstAlike[index] ?? 0] ?? (await model.prepare(picture, { ...values, signal })))
      const teacherPixels = pixels[teacherAlike] ?? (await teacher?.prepare(picture, { signal }))
      return { name, truth, pixels, teacherPixels, readShare }
    } catch (error) {
      if (!(error instanceof BlvitError) || error.code === 'ABORTED') throw error
      return { failed: failure(name, truth, error), readShare }
    }
  }

  const logitsOf = (answering: Model, pictures: Float32Array[], values: Settings = {}) =>
    busy.during(answering.answerPrepared(logits, pictures, { ...values, seed, caller, signal }))

  const run = async (prepared: readonly PreparedItem[]): Promise<PictureOutcome[]> => {
    const sound = prepared.flatMap((item) => ('failed' in item ? [] : [item]))
    const told: Answered<Float32Array>[][] = []
    if (sound.length > 0)
      for (const [index, { values }] of settings.entries()) {
        const pixels = sound.map((item) => defined(item.pixels[index], 'the pixels for a setting'))
        told.push(await logitsOf(model, pixels, values))
      }
    const teacherPixels = sound.flatMap((item) => item.teacherPixels ?? [])
    const taught = teacher && sound.length > 0 ? await logitsOf(teacher, teacherPixels) : []
    let row = 0
    return prepared.map((item): PictureOutcome => {
      if ('failed' in item) return item.failed
      const { name, truth } = item
      const own = row++
      return {
        name,
        ...truth,
        answers: told.map((answers) => {
          const { answer, stage } = defined(answers[own], 'an answer')
          return { ...answerOf(answer, truth, model), ...(stage && { stage }) }
        }),
        ...(teacher && teacherClasses && taught[own]
          ? { teacher: answerOf(inOrder(taught[own].answer, teacherClasses), truth, teacher) }
          : {}),
      }
    })
  }

  /** Loads the engines, so that the time of the first picture doesn't hold it. */
  const warmUp = async (pictures: number) => {
    await model.warmUp(undefined, { pictures })
    await teacher?.warmUp(undefined, { pictures })
  }
  return { prepare, run, warmUp, engineMs: busy.totalMs }
}

/** Adds up the time in which at least one of some promises is pending. */
function busyTime() {
  let pending = 0
  let since = 0
  let doneMs = 0
  const during = async <T>(work: Promise<T>): Promise<T> => {
    if (pending++ === 0) since = performance.now()
    try {
      return await work
    } finally {
      if (--pending === 0) doneMs += performance.now() - since
    }
  }
  return { during, totalMs: () => doneMs }
}

function failure(name: string, truth: Truth, error: BlvitError): PictureOutcome {
  const complaint = { code: error.code, message: messageAbout(name, error.message) }
  return { name, ...truth, error: complaint }
}

function withoutLabel(name: string): BlvitError {
  return new BlvitError('BAD_DATA', `${name} has no label. Label it, or give a teacher to compare with.`, {
    name,
  })
}
