import { checkBatch, preparedAhead, preparedBatches } from '../../../base/ahead.js'
import { BlvitError, throwIfAborted } from '../../../base/blvit-error.js'
import { checkOptions, type OptionKeys } from '../../../base/check-options.js'
import { checkShard, dealtCount, type Shard, whole } from '../../../base/shard.js'
import { checkWholeNumbers } from '../../../base/whole-number.js'
import type { DataSet } from '../../../data/data-set.js'
import { openDataSet } from '../../../data/open-data-set.js'
import { defaultStatePath, StateFile } from '../../../files/state-file.js'
import { type ClassOrder, classOrder } from '../../../problems/class-order.js'
import { logits } from '../../../problems/logits.js'
import type { Settings } from '../../../settings/settings.js'
import type { Model } from '../../model.js'
import { runsAheadOf } from '../../model-runs.js'
import { handOf } from '../kept-answers.js'
import { type EvaluationReport, evaluationKind } from './evaluation-state.js'
import { identityOf } from './identity.js'
import type { PictureOutcome } from './picture-outcome.js'
import { type PreparedItem, pictureRunner } from './picture-runner.js'
import { remainingItems } from './remaining-items.js'
import { type Counts, type EvaluatedSetting, tally } from './tally.js'

export interface EvaluateOptions {
  /** Settings of the model, all evaluated in one pass over the data. Default: the model's own alone. */
  readonly settings?: readonly Settings[] | undefined
  /** A model to compare the answers with; it must have the same classes. */
  readonly teacher?: Model | undefined
  /** Pictures per run of an engine. Default: 8, or what is fastest where several engines work beside each other. */
  readonly batch?: number | undefined
  /** Only the first so many pictures. Default: all. */
  readonly limit?: number | undefined
  /**
   * Only the share of one of several runs, dealt in the order of the data. Its state file is a part for
   * {@link mergeParts}. Default: all.
   */
  readonly shard?: Shard | undefined
  /**
   * A file that keeps what is done; an evaluation that was killed goes on from there and ends with the same counts.
   * `true`: a file in the user's cache, which is deleted at the end. Default: nothing is kept.
   */
  readonly resume?: string | true | undefined
  /** Decides what the models pick that pick at random. Default 0. */
  readonly seed?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** Called before the engines are loaded, with the pictures that there are at most; `Infinity` where nobody knows yet. */
  readonly onStart?: ((pictures: number) => void) | undefined
  readonly onProgress?: ((progress: EvaluationProgress) => void) | undefined
  /** Called for each picture in order, those of earlier runs included. */
  readonly onPicture?: ((outcome: PictureOutcome) => void) | undefined
  /**
   * Called with the result and awaited before a `resume: true` deletes its file: where writing the result down fails
   * or is aborted, nothing is lost.
   */
  readonly onResult?: ((evaluation: Evaluation) => Promise<void>) | undefined
}

const evaluateKeys: OptionKeys<EvaluateOptions> = {
  settings: true,
  teacher: true,
  batch: true,
  limit: true,
  shard: true,
  resume: true,
  seed: true,
  signal: true,
  onProgress: true,
  onPicture: true,
  onResult: true,
  onStart: true,
}

export interface EvaluationProgress {
  /** Pictures that are done, those of earlier runs included. */
  readonly done: number
  /** Of all; an estimate where only reading all of the data would tell. */
  readonly total: number
  /** Pictures that were done before this run. */
  readonly resumed: number
}

/** Where the time of this run went; doesn't count what earlier runs did. */
export interface EvaluationTiming {
  /** Pictures of this run. */
  readonly pictures: number
  readonly elapsedMs: number
  /** Part of the elapsed time in which an engine had work: the rest it waited for pictures. */
  readonly engineMs: number
}

/** How good a model is on labelled pictures. */
export interface Evaluation extends Counts {
  /** For people: how the labels of the data were understood, e.g. `class numbers from 0`. */
  readonly labelRule?: string | undefined
  /** For people: what lies among the data and was passed over. */
  readonly notes: readonly string[]
  readonly timing: EvaluationTiming
}

/**
 * How often a model is right on labelled pictures, in one pass: each picture is read and decoded once, ahead of the
 * engine, and run at every setting. A picture that can't be used is counted among the failures.
 * @param data folders, labels.csv or tars (see {@link openDataSet}), or an opened data set
 * @throws BlvitError `BAD_OPTION`, `BAD_DATA`, `NOT_FOUND`, `ENGINE`, `ABORTED`, `WRITE_FAILED`
 * @example
 * const { results } = await evaluate(model, 'validation/', { settings: [{ keepRatio: 0.5 }, { keepRatio: 1 }] })
 * console.log(results.map(({ setting, top1 }) => [setting, top1.share, top1.low, top1.high]))
 */
export async function evaluate(
  model: Model,
  data: string | readonly string[] | DataSet,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  checkOptions('option of evaluate', options, evaluateKeys)
  const { limit, teacher, seed, signal, resume, shard = whole } = options
  checkBatch(options.batch)
  checkWholeNumbers({ limit })
  checkShard(shard)
  const settings = decidedSettings(model, options.settings)
  const teacherClasses = teacher && classOrder(model, teacher)
  const dataSet = isDataSet(data)
    ? data
    : // what a softmax says is one label, and more than one to be right is data for another model
      await openDataSet(data, {
        labels: model.labels,
        several: model.scores === 'sigmoid' ? 'as-written' : false,
      })

  // of the whole data, so that a shard's batches are those of any other
  const expected = Math.min(dataSet.size ?? Number.POSITIVE_INFINITY, limit ?? Number.POSITIVE_INFINITY)
  const identity =
    resume === undefined ? {} : await identityOf(model, dataSet, { ...options, settings, shard })
  await using state =
    resume === undefined
      ? undefined
      : await StateFile.open(
          resume === true ? await defaultStatePath(identity, evaluationKind) : resume,
          identity,
          evaluationKind,
        )
  const outcomes: PictureOutcome[] = []
  const add = (outcome: PictureOutcome) => {
    outcomes.push(outcome)
    options.onPicture?.(outcome)
  }
  const earlier = state?.outcomes ?? []
  for (const outcome of earlier) add(outcome)

  options.onStart?.(expected)
  const runner = pictureRunner(model, { teacher, teacherClasses, settings, seed, signal })
  await runner.warmUp(expected)
  // a batch is run at every setting
  const batch = options.batch ?? Math.max(...settings.map(({ values }) => model.batchFor(expected, values)))
  const start = performance.now()
  const deal = { shard, hand: handOf(model, batch) }
  const places: number[] = []
  const items = remainingItems(dataSet, {
    earlier,
    deal,
    limit,
    signal,
    onPlace: (place) => places.push(place),
  })
  const most = dealtCount(Math.min(dataSet.size ?? Infinity, limit ?? Number.MAX_SAFE_INTEGER), deal)
  const run = async (prepared: readonly PreparedItem[]) => ({
    outcomes: await runner.run(prepared),
    readShare: prepared.at(-1)?.readShare || 1,
  })
  const ahead = runsAheadOf(model.planFor(expected))
  const batches = preparedBatches(items, runner.prepare, { batch })
  for await (const answered of preparedAhead(batches, run, { ahead })) {
    throwIfAborted(signal)
    await state?.append(answered.outcomes)
    for (const outcome of answered.outcomes) add(outcome)
    const read = Math.round(outcomes.length / answered.readShare)
    const total = dataSet.size === undefined ? Math.min(read, most) : most
    options.onProgress?.({ done: outcomes.length, total, resumed: earlier.length })
  }
  throwIfAborted(signal)
  // a shard of few pictures may have none
  if (outcomes.length === 0 && shard.count === 1)
    throw new BlvitError('BAD_DATA', `${dataSet.name} holds no pictures.`)
  const timing = {
    pictures: outcomes.length - earlier.length,
    elapsedMs: performance.now() - start,
    engineMs: runner.engineMs(),
  }
  const report: EvaluationReport = {
    places,
    model: model.name,
    data: isDataSet(data) ? [data.name] : [data].flat(),
    teacher: teacher?.name,
    teacherSetting: teacher?.resolve({}).key,
    settings: [...settings],
    labels: [...model.labels],
    labelRule: dataSet.labelRule,
    notes: [...(dataSet.notes ?? []), ...classNotes(teacherClasses)],
    timing,
  }
  await state?.end(report)
  const evaluation = evaluationOf(outcomes, report)
  await options.onResult?.(evaluation)
  throwIfAborted(signal)
  if (resume === true) await state?.remove()
  return evaluation
}

/** What outcomes come to. */
export function evaluationOf(
  outcomes: readonly PictureOutcome[],
  { settings, labels, labelRule, notes, timing }: Omit<EvaluationReport, 'places'>,
): Evaluation {
  return { ...tally(outcomes, { settings, classes: labels.length }), labelRule, notes, timing }
}

function isDataSet(data: string | readonly string[] | DataSet): data is DataSet {
  return typeof data === 'object' && 'items' in data
}

/**
 * What is evaluated, each once.
 * @throws BlvitError `BAD_OPTION` for settings that the model can't take, before anything is read
 */
function decidedSettings(model: Model, given: readonly Settings[] = []): readonly EvaluatedSetting[] {
  const all = (given.length === 0 ? [{}] : given).map((settings) => {
    model.check(logits, settings)
    return model.resolve(settings)
  })
  const keys = all.map(({ key }) => key)
  return all
    .filter(({ key }, index) => keys.indexOf(key) === index)
    .map(({ key, values }) => ({ setting: key, values }))
}

function classNotes(classes: ClassOrder | undefined): readonly string[] {
  if (classes?.numbers) return ['the classes of the teacher stand in another order: compared by label']
  return classes?.by === 'number' ? ['only one of the models names its classes: compared by number'] : []
}
