import { join } from 'node:path'
import { BlvitError } from '../base/blvit-error.js'
import { locateModel } from '../model-store/node/locate-model.js'
import { exportForTransformersJs } from '../tasks/node/export/export-for-transformers-js.js'
import { firstLabel } from './first-label.js'
import { describeMachine, type Machine } from './machine.js'
import type { EngineChoice, Workload } from './messages.js'
import { BenchProcess, temporaryFolder } from './process.js'
import { type Spread, spreadOf } from './spread.js'
import type { SubjectOptions } from './variants.js'

export interface AgainstOptions extends SubjectOptions {
  /** Files. */
  readonly pictures: readonly string[]
  /** Times that each library has its turn. Default 5. */
  readonly rounds?: number | undefined
  /** Of both engines. Default: as they choose. */
  readonly threads?: number | undefined
}

/** One job, done by both libraries. */
export interface ComparedJob {
  readonly job: 'first label of a new process' | 'one picture' | 'all pictures'
  /** Milliseconds. */
  readonly ours: Spread
  readonly theirs: Spread
  /** Median of theirs ÷ median of ours. */
  readonly ratio: number
}

export interface AgainstReport {
  readonly version: 1
  readonly machine: Machine
  readonly model: string
  readonly ours: string
  readonly theirs: string
  readonly pictures: number
  readonly comparisons: readonly ComparedJob[]
}

const libraries = ['blvit', 'transformers.js'] as const

type Library = (typeof libraries)[number]

type Times = Readonly<Record<Library, number[]>>

/** Starts a process and loads the library and model in it. */
async function open(
  workload: Extract<Workload, { kind: 'pictures' }>,
  engine: EngineChoice,
  signal?: AbortSignal,
) {
  const process = new BenchProcess(workload.library, signal)
  try {
    const { engine: name } = await process.ask('load', { ...engine, workload })
    await process.ask('sample', { job: { kind: 'pictures', count: 1 }, atLeastMs: 0, atLeastRuns: 1 })
    return { library: workload.library, process, name }
  } catch (thrown) {
    await process.dispose()
    throw thrown
  }
}

async function measure(
  workloads: Readonly<Record<Library, Extract<Workload, { kind: 'pictures' }>>>,
  engine: EngineChoice,
  { pictures, rounds = 5, signal }: AgainstOptions,
) {
  const times = (): Times => ({ blvit: [], 'transformers.js': [] })
  const [starts, singles, alls] = [times(), times(), times()]
  const processes: Awaited<ReturnType<typeof open>>[] = []
  try {
    for (const library of libraries) processes.push(await open(workloads[library], engine, signal))
    for (let round = 0; round < rounds; round++) {
      for (const { library, process } of processes) {
        const single = { job: { kind: 'pictures' as const, count: 1 }, atLeastMs: 300, atLeastRuns: 3 }
        const all = {
          job: { kind: 'pictures' as const, count: pictures.length },
          atLeastMs: 0,
          atLeastRuns: 1,
        }
        singles[library].push(...(await process.ask('sample', single)).map(({ ms }) => ms))
        alls[library].push(...(await process.ask('sample', all)).map(({ ms }) => ms))
      }
    }
  } finally {
    await Promise.all(processes.map(({ process }) => process.dispose()))
  }
  // programs that end in the time of one label: nothing else of ours holds a processor then
  for (let round = 0; round < rounds; round++) {
    for (const library of libraries) {
      starts[library].push(await firstLabel(workloads[library], { threads: engine.threads, signal }))
    }
  }
  const nameOf = (library: Library) => processes.find((process) => process.library === library)?.name ?? ''
  const engines = { blvit: nameOf('blvit'), 'transformers.js': nameOf('transformers.js') }
  return { starts, singles, alls, engines }
}

function compare(job: ComparedJob['job'], times: Times): ComparedJob {
  const [ours, theirs] = [spreadOf(times.blvit), spreadOf(times['transformers.js'])]
  return { job, ours, theirs, ratio: theirs.median / ours.median }
}

/**
 * From picture files to labels, here and with transformers.js on the same weights, each in processes of its own.
 * @throws BlvitError `UNSUPPORTED` if transformers.js is not installed, `NOT_FOUND`, `BAD_OPTION`, `ENGINE`
 */
export async function benchAgainst(reference: string, options: AgainstOptions): Promise<AgainstReport> {
  const { pictures, threads, signal, offline, onDownload } = options
  if (pictures.length === 0) throw new BlvitError('NOT_FOUND', 'There are no pictures to classify.')
  const machine = describeMachine()
  const { name, folder } = await locateModel(reference, { offline, signal, onProgress: onDownload })
  await using scratch = await temporaryFolder('blvit-against-')
  const exported = join(scratch.path, 'model')
  await exportForTransformersJs(folder, exported, { signal })
  const workloads = {
    blvit: { kind: 'pictures', library: 'blvit', folder, pictures },
    'transformers.js': { kind: 'pictures', library: 'transformers.js', folder: exported, pictures },
  } as const
  // What transformers.js is asked for too; another device or precision would compare more than the libraries.
  const measured = await measure(workloads, { device: 'cpu', threads, precision: 'fp32' }, options)
  return {
    version: 1,
    machine,
    model: name,
    ours: measured.engines.blvit,
    theirs: measured.engines['transformers.js'],
    pictures: pictures.length,
    comparisons: [
      compare('first label of a new process', measured.starts),
      compare('one picture', measured.singles),
      compare('all pictures', measured.alls),
    ],
  }
}
