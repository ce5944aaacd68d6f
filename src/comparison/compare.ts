import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { freemem } from 'node:os'
import { join } from 'node:path'
import { BlvitError, throwIfAborted } from '../base/blvit-error.js'
import { checkWholeNumbers } from '../base/whole-number.js'
import { describeMachine, type Machine } from '../bench/machine.js'
import type { EngineChoice } from '../bench/messages.js'
import type { BenchProgress } from '../bench/rounds.js'
import type { DataSet } from '../data/data-set.js'
import { openDataSet } from '../data/open-data-set.js'
import { makeFolder } from '../files/output-files.js'
import { StateFile } from '../files/state-file.js'
import type { Precision } from '../graph/lowering.js'
import type { Settings } from '../settings/settings.js'
import { analyze } from '../tasks/analyze/analyze.js'
import type { Model } from '../tasks/model.js'
import type { EvaluationProgress } from '../tasks/node/evaluate/evaluate.js'
import { load } from '../tasks/node/load.js'
import { type MeanSizes, meanSizes } from '../tasks/node/mean-sizes.js'
import { answersOf, type RowAnswers } from './answers.js'
import type { AskedRow } from './asked-rows.js'
import { type ComparedRow, comparedRows } from './compared-rows.js'
import { comparisonIdentity, comparisonKind, type RowOutcome } from './comparison-state.js'
import { isSound, type PlannedRow, planRows, type SoundRow } from './plan-rows.js'
import { type RowTimes, timesOfRows } from './times.js'

export interface CompareOptions {
  /** Labelled pictures. None: no accuracies. */
  readonly data?: readonly string[] | undefined
  /** Settings that each model without any is also run at, if it can take them. */
  readonly spread?: readonly Settings[] | undefined
  /** Keeps what is done in `comparison.state` there, so that a comparison that was stopped, or gets more rows, goes on. */
  readonly folder?: string | undefined
  /** Only the first so many pictures. Default: all. */
  readonly limit?: number | undefined
  /** Times that each row has its turn; 0: no times. Default 10. */
  readonly rounds?: number | undefined
  /** Default: as the engine chooses. */
  readonly threads?: number | undefined
  /** Default fp32. */
  readonly precision?: Precision | undefined
  /** Decides what is picked at random. Default 0. */
  readonly seed?: number | undefined
  readonly offline?: boolean | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: CompareProgress) => void) | undefined
  /** Told of each row that has answered, and of each that fails. */
  readonly onRow?: ((row: PlannedRow, outcome: RowAnswers | BlvitError) => void) | undefined
}

/** How far a comparison has come. */
export type CompareProgress =
  /** Pictures of all rows; `resumed` of them were done before. */
  | { readonly doing: 'answering'; readonly done: number; readonly total: number; readonly resumed: number }
  | BenchProgress

/** Rows side by side. */
export interface Comparison {
  readonly version: 1
  readonly machine: Machine
  readonly data: readonly string[]
  /** Of each row; absent without data. */
  readonly pictures?: number
  readonly threads?: number
  readonly precision: Precision
  readonly rows: readonly ComparedRow[]
}

/** What is known of rows, by their keys. */
interface Known {
  readonly answers: Map<string, RowAnswers>
  readonly times: Map<string, RowTimes>
  readonly counted: Map<string, MeanSizes>
  readonly errors: Map<PlannedRow, BlvitError>
}

/**
 * Half of what is free may be taken by the processes of rows that are measured together: each row has two, with Node, the
 * engine, and its weights a few times.
 */
const shareOfMemory = 0.5
const bytesOfProcess = 200e6
const copiesOfWeights = 3

/** Times are kept group by group: a comparison that is stopped measures no more rows than these anew. */
const mostTogether = 8

/**
 * Runs models in settings on one data set, and measures how fast they are here.
 * @param asked rows; the whole model of each is added
 * @throws BlvitError `BAD_OPTION`, `WRITE_FAILED`, `ABORTED`. A row that fails throws nothing: it says why
 */
export async function compare(asked: readonly AskedRow[], options: CompareOptions = {}): Promise<Comparison> {
  const { data = [], spread = [], folder, limit, rounds = 10, threads, precision = 'fp32' } = options
  const { seed, signal } = options
  checkWholeNumbers({ limit })
  const engine: EngineChoice = { device: 'cpu', threads, precision }
  const machine = describeMachine()
  const rows = await planRows(asked, { spread })
  if (folder !== undefined) await makeFolder(folder)
  await using state =
    folder === undefined
      ? undefined
      : await StateFile.open(
          join(folder, 'comparison.state'),
          comparisonIdentity(machine, { data, limit, seed, engine }),
          comparisonKind,
        )
  const known = knownFrom(state?.outcomes ?? [])
  for (const row of rows) if (!isSound(row)) fail(row, row.error, known, options)
  const keep = async (outcome: RowOutcome) => {
    add(outcome, known)
    await state?.append([outcome])
  }
  const keys = await answerAll(rows.filter(isSound), { known, keep, options })
  throwIfAborted(signal)
  if (rounds > 0) await timeAll(rows.filter(isSound), { known, keep, options, engine, keys })
  const compared = comparedRows(
    rows.map((row) => {
      const key = keys.get(row) ?? ''
      const [answers, times] = [known.answers.get(key), known.times.get(key)]
      return { row, answers, times, counted: known.counted.get(key), error: known.errors.get(row) }
    }),
  )
  const pictures = compared.find(({ answers }) => answers)?.answers?.pictures
  return {
    version: 1,
    ...{ machine, data, precision, rows: compared },
    ...(pictures !== undefined && { pictures }),
    ...(threads !== undefined && { threads }),
  }
}

function knownFrom(outcomes: readonly RowOutcome[]): Known {
  const known: Known = { answers: new Map(), times: new Map(), counted: new Map(), errors: new Map() }
  for (const outcome of outcomes) add(outcome, known)
  return known
}

function add({ row, answers, times, counted }: RowOutcome, known: Known): void {
  if (answers) known.answers.set(row, answers)
  if (times) known.times.set(row, times)
  if (counted) known.counted.set(row, counted)
}

/** @throws what is no failure of a row: a bug, or an abort */
function fail(row: PlannedRow, thrown: unknown, { errors }: Known, { onRow }: CompareOptions): void {
  if (!(thrown instanceof BlvitError) || thrown.code === 'ABORTED') throw thrown
  errors.set(row, thrown)
  onRow?.(row, thrown)
}

interface Work {
  readonly known: Known
  readonly keep: (outcome: RowOutcome) => Promise<void>
  readonly options: CompareOptions
}

/** The same for rows of the same weights in the same setting, on the same pictures. */
function rowKey(model: string, { setting }: SoundRow, data: string): string {
  return createHash('sha256')
    .update(JSON.stringify([model, setting, data]))
    .digest('hex')
    .slice(0, 16)
}

/** Has all rows answer that have not yet. @returns the key of each whose model can be opened */
async function answerAll(rows: readonly SoundRow[], work: Work): Promise<ReadonlyMap<PlannedRow, string>> {
  const { known, options } = work
  const { threads, precision, offline, signal, data = [], onProgress } = options
  const keys = new Map<PlannedRow, string>()
  let finished = 0
  let resumed = 0
  const show: AnswerWork['show'] = (done, total, before = 0) => {
    resumed += before
    const whole = { done: finished * total + done, total: rows.length * total }
    onProgress?.({ doing: 'answering', ...whole, resumed })
  }
  for (const reference of new Set(rows.map((row) => row.reference))) {
    const own = rows.filter((row) => row.reference === reference)
    const [first] = own
    // sizes alone can be timed, on random weights
    if (first && 'config' in first.variant.subject.model && data.length === 0) {
      const config = JSON.stringify(first.variant.subject.model.config)
      for (const row of own) keys.set(row, rowKey(config, row, 'none'))
      continue
    }
    try {
      await using model = await load(reference, { device: 'cpu', threads, precision, offline, signal })
      const fingerprint = await model.fingerprint()
      const dataSet = data.length > 0 ? await openDataSet(data, { labels: model.labels }) : undefined
      const pictures = (await dataSet?.fingerprint()) ?? 'none'
      for (const row of own) {
        keys.set(row, rowKey(fingerprint, row, pictures))
        if (dataSet) {
          await answerRow(row, { model, dataSet, keys, work, show })
          await countRow(row, { model, dataSet, keys, work })
        }
        finished += 1
      }
    } catch (thrown) {
      for (const row of own) if (!keys.has(row)) fail(row, thrown, known, options)
      finished += own.filter((row) => !keys.has(row)).length
    }
  }
  return keys
}

interface AnswerWork {
  readonly model: Model
  readonly dataSet: DataSet
  readonly keys: ReadonlyMap<PlannedRow, string>
  readonly work: Work
  /** @param before pictures that were done before this run, where they are told of for the first time */
  readonly show: (done: number, total: number, before?: number) => void
}

async function answerRow(row: SoundRow, { model, dataSet, keys, work, show }: AnswerWork): Promise<void> {
  const { known, keep, options } = work
  const { folder, limit, seed, signal, onRow } = options
  const key = keys.get(row) ?? ''
  const before = known.answers.get(key)
  if (before) {
    show(before.pictures, before.pictures, before.pictures)
    return
  }
  const resume = folder === undefined ? undefined : join(folder, `row-${key}.state`)
  try {
    const onProgress = ({ done, total }: EvaluationProgress) => show(done, total)
    const answers = await answersOf(model, row.variant.settings, {
      ...{ dataSet, limit, seed, resume, signal, onProgress },
    })
    await keep({ row: key, answers })
    if (resume !== undefined) await rm(resume, { force: true })
    onRow?.(row, answers)
  } catch (thrown) {
    fail(row, thrown, known, options)
  }
}

/** Finds out how many tokens go on where pictures decide it. */
async function countRow(
  row: SoundRow,
  { model, dataSet, keys, work: { known, keep, options } }: Omit<AnswerWork, 'show'>,
): Promise<void> {
  const { subject, settings } = row.variant
  const key = keys.get(row) ?? ''
  if (known.counted.has(key) || known.errors.has(row) || !analyze(subject.architecture, settings).counted)
    return
  try {
    await keep({ row: key, counted: await meanSizes(model, settings, { dataSet, signal: options.signal }) })
  } catch (thrown) {
    fail(row, thrown, known, options)
  }
}

/** Rows that are measured together, so that what disturbs the machine disturbs all alike: as many as the memory has room for. */
function groupsOf(rows: readonly SoundRow[]): SoundRow[][] {
  const room = shareOfMemory * (process.availableMemory?.() ?? freemem())
  const groups: SoundRow[][] = []
  let taken = Number.POSITIVE_INFINITY
  for (const row of rows) {
    const weightBytes = 4 * analyze(row.variant.subject.architecture).parameters
    const needed = 2 * (bytesOfProcess + copiesOfWeights * weightBytes)
    const group = groups.at(-1)
    if (group && group.length < mostTogether && taken + needed <= room) {
      group.push(row)
      taken += needed
    } else {
      groups.push([row])
      taken = needed
    }
  }
  return groups
}

/** Times all rows that have not been timed yet. */
async function timeAll(
  rows: readonly SoundRow[],
  {
    known,
    keep,
    options,
    engine,
    keys,
  }: Work & { engine: EngineChoice; keys: ReadonlyMap<PlannedRow, string> },
): Promise<void> {
  const { rounds = 10, signal, onProgress = () => {} } = options
  const left = rows.filter((row) => {
    const key = keys.get(row)
    return key !== undefined && !known.times.has(key) && !known.errors.has(row)
  })
  for (const group of groupsOf(left)) {
    const measured = await timesOfRows(group, { engine, rounds, signal, onProgress })
    for (const [index, row] of group.entries()) {
      const times = measured[index]
      if (times instanceof BlvitError) fail(row, times, known, options)
      else if (times) await keep({ row: keys.get(row) ?? '', times })
    }
  }
}
