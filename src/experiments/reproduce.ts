import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { BlvitError, throwIfAborted } from '../base/blvit-error.js'
import { checkWholeNumbers } from '../base/whole-number.js'
import { describeMachine } from '../bench/machine.js'
import type { BenchProgress } from '../bench/rounds.js'
import { compare } from '../comparison/compare.js'
import { checkWritable, makeFolder } from '../files/output-files.js'
import { StateFile } from '../files/state-file.js'
import { modelFingerprint } from '../model-store/fingerprint.js'
import { describeModel, openModel } from '../model-store/node/open-model.js'
import { readArchitecture } from '../models/index.js'
import type { Experiment, ExperimentRow, TeacherPlan } from './experiment.js'
import type { TablePictures } from './pictures.js'
import { reproductionIdentity, reproductionKind, runKey } from './reproduction-state.js'
import type { RunAsk, RunResult } from './run.js'
import { type QueuedRun, runAll } from './run-queue.js'
import { type FoundRow, type ReproducedTable, reproducedTable, type SeededRun } from './table.js'
import { type TableTaskName, tableTasks } from './table-task.js'

export interface ReproduceOptions {
  /** What the table's models learn from: CIFAR-10, an archive or a folder that holds `train` and `test`; photographs with masks in COCO's form. */
  readonly data: string
  /** Keeps all that is done there, so that a reproduction that was stopped goes on. */
  readonly folder: string
  /** The folder of one that is trained already. Default: it is trained first. */
  readonly teacher?: string | undefined
  /** Names of the only rows that are run. Default: all. */
  readonly rows?: readonly string[] | undefined
  /** So many of each trained row. Default: the experiment's. */
  readonly seeds?: number | undefined
  /** Pictures that each row is trained with. Default: its recipe's. */
  readonly images?: number | undefined
  /** Only the first so many pictures to test with. Default: all. */
  readonly limit?: number | undefined
  /** Runs beside each other, of one thread each. Default: one for each processor. */
  readonly parallel?: number | undefined
  /** Times that each row has its turn when times are measured; 0: no times. Default 10. */
  readonly rounds?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: ReproduceProgress) => void) | undefined
  /** Told of each run that is done, now or before, and of each that fails. */
  readonly onRun?: ((run: PlannedRun, outcome: RunResult | BlvitError) => void) | undefined
}

/** How far a reproduction has come. */
export type ReproduceProgress =
  /** Pictures that were decoded, or that runs have trained and tested with; `resumed` of them before. */
  | {
      readonly doing: 'unpacking' | 'teacher' | 'runs'
      readonly done: number
      readonly total: number
      readonly resumed: number
    }
  | BenchProgress

/** A row with one seed. */
export interface PlannedRun {
  readonly row: ExperimentRow
  readonly seed: number
}

/** @throws BlvitError `BAD_OPTION` for a row that the experiment doesn't have */
function plannedRuns(
  experiment: Experiment,
  { rows, seeds = experiment.seeds }: ReproduceOptions,
): PlannedRun[] {
  const known = experiment.rows.map(({ name }) => name)
  const unknown = rows?.find((name) => !known.includes(name))
  if (unknown !== undefined) {
    const message = `${experiment.name} has no row "${unknown}". It has ${known.join(', ')}.`
    throw new BlvitError('BAD_OPTION', message, { known })
  }
  const chosen = experiment.rows.filter(({ name }) => rows?.includes(name) ?? true)
  // seed by seed, so that a table that was stopped has a bit of each row
  return Array.from({ length: seeds }, (_, seed) => seed).flatMap((seed) =>
    chosen.filter(({ recipe }) => recipe !== undefined || seed === 0).map((row) => ({ row, seed })),
  )
}

/**
 * Runs a table of trained models from nothing: the pictures decoded, the teacher trained, each row with each of its seeds,
 * then the times. What is done is kept, and the same call goes on after a kill.
 * @throws BlvitError `BAD_OPTION`, `BAD_DATA`, `NOT_FOUND`, `WRITE_FAILED`, `ABORTED`. A run that fails throws nothing: its
 *   row says why
 */
export async function reproduce(experiment: Experiment, options: ReproduceOptions): Promise<ReproducedTable> {
  const {
    data,
    folder,
    seeds,
    images,
    limit,
    parallel = availableParallelism(),
    rounds = 10,
    signal,
  } = options
  checkWholeNumbers({ seeds, images, limit, parallel })
  const runs = plannedRuns(experiment, options)
  const machine = describeMachine()
  await makeFolder(folder)
  await checkWritable(join(folder, `${experiment.name}.json`))
  const { labels } = experiment.teacher
  if (options.teacher !== undefined) await describeModel(options.teacher)
  const { task: taskName = 'labels' } = experiment
  const task = tableTasks[taskName]
  const pictures = await task.prepare(data, join(folder, task.folder), {
    ...{
      labels,
      signal,
      onProgress: (progress) => options.onProgress?.({ doing: 'unpacking', resumed: 0, ...progress }),
    },
  })
  const teacher = options.teacher ?? (await madeTeacher(experiment, pictures, options))
  const fingerprint = await modelFingerprint(await openModel(teacher))
  await using state = await StateFile.open(
    join(folder, `${experiment.name}.state`),
    reproductionIdentity({ table: experiment.name, data: pictures.fingerprint, teacher: fingerprint }),
    reproductionKind,
  )
  const known = new Map(state.outcomes.map(({ run, result }) => [run, result]))
  const asks = runs.map((run) => ({ ...run, ...askOf(run, { options, pictures, teacher, task: taskName }) }))
  const errors = new Map<ExperimentRow, BlvitError>()
  const progress = workProgress(asks.length, (done) => options.onProgress?.({ doing: 'runs', ...done }))
  const queue = asks.flatMap(({ row, seed, key, ask }, place): QueuedRun<'run'>[] => {
    const before = known.get(key)
    if (before) {
      progress.wasDone(place)
      options.onRun?.({ row, seed }, before)
      return []
    }
    return [
      {
        ...{ question: 'run', ask, onProgress: ({ done, total }) => progress.show(place, done / total) },
        onDone: async (result) => {
          await state.append([{ run: key, result }])
          known.set(key, result)
          progress.show(place, 1)
          options.onRun?.({ row, seed }, result)
        },
        onFailure: (error) => {
          errors.set(row, error)
          options.onRun?.({ row, seed }, error)
        },
      },
    ]
  })
  await runAll(queue, { parallel, signal })
  throwIfAborted(signal)
  const found = experiment.rows.flatMap((row): FoundRow[] => {
    const own = asks.filter((one) => one.row === row)
    const done = own.flatMap(({ seed, key }): SeededRun[] => {
      const result = known.get(key)
      return result ? [{ seed, result }] : []
    })
    const error = errors.get(row)?.message
    return own.length === 0 ? [] : [{ row, runs: done, times: undefined, error }]
  })
  const withTimes = rounds > 0 && task.hasTimes ? await timed(found, { options, teacher, rounds }) : found
  return reproducedTable(experiment, {
    ...{ found: withTimes, machine, data, teacher: options.teacher ?? 'trained from random weights' },
    ...(images !== undefined && { images }),
  })
}

interface Places {
  readonly options: ReproduceOptions
  readonly pictures: TablePictures
  readonly teacher: string
  readonly task: TableTaskName
}

/** Where the model of a run is written. */
function outputOf({ row, seed }: PlannedRun, folder: string): string {
  return join(folder, 'runs', row.recipe ? `${row.name}-seed-${seed}` : row.name)
}

function askOf(
  run: PlannedRun,
  { options, pictures, teacher, task }: Places,
): { readonly ask: RunAsk; readonly key: string } {
  const { row, seed } = run
  const { folder, limit, images } = options
  const asked = {
    ...{
      title: row.name,
      student: row.student,
      recipe: row.recipe,
      pictures: images,
      limit,
      seed,
      threads: 1,
    },
    measuresUntrained: seed === 0,
  }
  const places = { task, output: outputOf(run, folder), train: pictures.train, test: pictures.test, teacher }
  return { ask: { ...asked, ...places }, key: runKey(asked) }
}

/**
 * Whether a teacher was trained there before.
 * @throws BlvitError `BAD_OPTION` for a model of another architecture, `BAD_CONFIG`
 */
async function isTrained(output: string, plan: TeacherPlan): Promise<boolean> {
  try {
    const { architecture } = await describeModel(output)
    if (isDeepStrictEqual(architecture.json, readArchitecture(plan.config).json)) return true
  } catch (thrown) {
    if (thrown instanceof BlvitError && thrown.code === 'NOT_FOUND') return false
    throw thrown
  }
  const message = `${output} is the teacher of another table. Choose another folder, or name the teacher (teacher, --teacher).`
  throw new BlvitError('BAD_OPTION', message, { output })
}

/** Trains the teacher with all threads, unless it is there. */
async function madeTeacher(
  experiment: Experiment,
  { train }: TablePictures,
  { folder, parallel = availableParallelism(), signal, onProgress }: ReproduceOptions,
): Promise<string> {
  const output = join(folder, 'teacher')
  if (await isTrained(output, experiment.teacher)) return output
  let failure: BlvitError | undefined
  let resumed: number | undefined
  const ask = { plan: experiment.teacher, output, train, threads: parallel, seed: 0 }
  const question = 'teacher' as const
  await runAll(
    [
      {
        ...{ question, ask, onDone: async () => {} },
        onProgress: ({ done, total }) => {
          resumed ??= done
          onProgress?.({ doing: 'teacher', done, total, resumed })
        },
        onFailure: (error) => {
          failure = error
        },
      },
    ],
    { parallel: 1, signal },
  )
  if (failure) throw failure
  return output
}

/** Adds up runs, each of which tells its own share, in thousandths of a run. */
function workProgress(
  runs: number,
  show: (progress: { readonly done: number; readonly total: number; readonly resumed: number }) => void,
) {
  const shares = new Array<number>(runs).fill(0)
  let resumed = 0
  const all = () => shares.reduce((sum, share) => sum + share, 0)
  return {
    wasDone: (place: number) => {
      shares[place] = 1
      resumed = all()
    },
    show: (place: number, share: number) => {
      shares[place] = share
      show({ done: all(), total: runs, resumed })
    },
  }
}

/** The rows with the times of a model of each, that of the first seed, or with why there are none. */
async function timed(
  found: readonly FoundRow[],
  {
    options,
    teacher,
    rounds,
  }: { readonly options: ReproduceOptions; readonly teacher: string; readonly rounds: number },
): Promise<readonly FoundRow[]> {
  const { folder, signal, onProgress } = options
  const referenceOf = ({ row }: FoundRow) => (row.recipe ? outputOf({ row, seed: 0 }, folder) : teacher)
  const { rows: measured } = await compare(
    found.flatMap((one) => (one.runs.length > 0 ? [{ reference: referenceOf(one), settings: {} }] : [])),
    {
      ...{ folder: join(folder, 'times'), rounds, signal },
      onProgress: (progress) => {
        if (progress.doing !== 'answering') onProgress?.(progress)
      },
    },
  )
  return found.map((one) => {
    const { times, error } = measured.find(({ reference }) => reference === referenceOf(one)) ?? {}
    return { ...one, times, error: one.error ?? error?.message }
  })
}
