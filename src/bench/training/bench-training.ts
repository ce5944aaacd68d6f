import { BlvitError, throwIfAborted } from '../../base/blvit-error.js'
import { type GemmSize, machineGemms } from '../../engine/gemm-sizes.js'
import { graphWork } from '../../graph/graph.js'
import { describeMachine, type Machine } from '../machine.js'
import type { EngineChoice, Job, Workload } from '../messages.js'
import { BenchProcess } from '../process.js'
import { disturbedAmong, type GemmRate, machineRate, timesOf } from '../report.js'
import { type BenchProgress, type Cell, measureInRounds } from '../rounds.js'
import { type Spread, spreadOf } from '../spread.js'
import { type TrainingCaseName, trainingCases } from './cases.js'

export interface BenchTrainingOptions {
  /** Which steps. Default: all. */
  readonly cases?: readonly TrainingCaseName[] | undefined
  /** Default: as the engine chooses. */
  readonly threads?: number | undefined
  /** Times that every step has its turn. Default 10. */
  readonly rounds?: number | undefined
  /** Where to look for a PyTorch to compare with. Default: the first Python of the path, Debian's own. */
  readonly pythons?: readonly string[] | undefined
  /** Matrix products whose rate the machine's is taken for. Default: those of a big ViT. */
  readonly products?: readonly GemmSize[] | undefined
  /** What runs no faster than before is warm, and all is after so long. Default 5000 ms. */
  readonly warmUpMs?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: BenchProgress) => void) | undefined
}

/** The figures of one training step: forward, backward and AdamW. */
export interface TrainingResult {
  readonly title: string
  readonly engine: string
  readonly batch: number
  readonly runs: number
  /** Runs left out because they waited for a busy processor for more than 2 % of their time. */
  readonly disturbedRuns: number
  /** Of one step. */
  readonly stepMs: Spread
  readonly imagesPerSecond: number
  /** Of one step, forward and backward, as the graph's ops tell them. */
  readonly multiplyAdds: number
  /** 10⁹ floating-point operations a second; a multiply-add is two. */
  readonly gflops: number
  readonly shareOfGemmRate: number
}

export interface TrainingReport {
  readonly version: 1
  readonly machine: Machine
  readonly gemm: GemmRate
  readonly results: readonly TrainingResult[]
  /** What couldn't be measured here, and why. */
  readonly missing: readonly { readonly title: string; readonly why: string }[]
}

interface Subject {
  readonly title: string
  readonly workload: Workload
  readonly jobs: readonly Job[]
  /** Which case's multiply-adds and batch count; absent for products. */
  readonly counts?: TrainingCaseName
}

const ownSteps: readonly Subject[] = [
  ...(Object.keys(trainingCases) as TrainingCaseName[]).map(
    (name): Subject => ({
      title: trainingCases[name].title,
      workload: { kind: 'training', name },
      jobs: [{ kind: 'training' }],
      counts: name,
    }),
  ),
]

function torchStep(pythons: readonly string[]): Subject {
  return {
    title: `${trainingCases.vit.title}, in PyTorch`,
    workload: { kind: 'torch training', pythons },
    jobs: [{ kind: 'training' }],
    counts: 'vit',
  }
}

function productsOf(sizes: readonly GemmSize[]): Subject {
  return {
    title: 'matrix products',
    workload: { kind: 'gemm', sizes },
    jobs: sizes.map((_, index) => ({ kind: 'gemm', index })),
  }
}

type TrainingCell = Cell & { readonly subject: Subject; readonly engine: string }

async function load(
  choice: EngineChoice,
  options: BenchTrainingOptions,
  processes: BenchProcess[],
): Promise<{ cells: TrainingCell[]; missing: { title: string; why: string }[] }> {
  const cells: TrainingCell[] = []
  const missing: { title: string; why: string }[] = []
  const { cases, products = machineGemms, warmUpMs: longestMs, signal, onProgress } = options
  const { pythons = ['python3', '/usr/bin/python3'] } = options
  const asked = [...ownSteps, torchStep(pythons)].filter(
    ({ counts }) => !counts || !cases || cases.includes(counts),
  )
  const wanted = [productsOf(products), ...asked]
  for (const [done, subject] of wanted.entries()) {
    throwIfAborted(signal)
    onProgress?.({ doing: 'loading', what: subject.title, done, total: wanted.length })
    const process = new BenchProcess(subject.title, signal)
    processes.push(process)
    try {
      const { engine } = await process.ask('load', { ...choice, workload: subject.workload })
      for (const job of subject.jobs) {
        await process.ask('warmUp', { job, longestMs })
        cells.push({ name: subject.title, subject, process, engine, choice, job, runs: [] })
      }
    } catch (thrown) {
      // a comparison may be impossible here; our own steps may not
      if (!(thrown instanceof BlvitError && thrown.code === 'UNSUPPORTED')) throw thrown
      missing.push({ title: subject.title, why: thrown.message })
    }
  }
  return { cells, missing }
}

function resultOf(
  { subject, engine, runs }: TrainingCell,
  name: TrainingCaseName,
  gemm: GemmRate,
): TrainingResult {
  const { batch, build } = trainingCases[name]
  const stepMs = spreadOf(timesOf({ runs }))
  const multiplyAdds = graphWork(build().graph, { batch })
  const gflops = (2 * multiplyAdds) / (1e6 * stepMs.median)
  return {
    title: subject.title,
    engine,
    batch,
    runs: timesOf({ runs }).length,
    disturbedRuns: disturbedAmong(runs),
    stepMs,
    imagesPerSecond: (1000 * batch) / stepMs.median,
    multiplyAdds,
    gflops,
    shareOfGemmRate: gflops / gemm.gflops,
  }
}

/**
 * Measures training steps beside large matrix products, each alone in its own process, in rounds.
 * @throws BlvitError `ENGINE`, `ABORTED`
 */
export async function benchTraining(options: BenchTrainingOptions = {}): Promise<TrainingReport> {
  const { threads, rounds = 10 } = options
  const choice: EngineChoice = { device: 'cpu', threads, precision: 'fp32' }
  const machine = describeMachine()
  const processes: BenchProcess[] = []
  try {
    const { cells, missing } = await load(choice, options, processes)
    await measureInRounds(cells, { ...options, rounds, turn: { atLeastMs: 0, atLeastRuns: 1 } })
    const gemm = machineRate(choice, cells, options.products)
    const results = cells.flatMap((cell) =>
      cell.subject.counts ? [resultOf(cell, cell.subject.counts, gemm)] : [],
    )
    return { version: 1, machine, gemm, results, missing }
  } finally {
    await Promise.all(processes.map((process) => process.dispose()))
  }
}
