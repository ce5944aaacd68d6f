import { throwIfAborted } from '../base/blvit-error.js'
import { machineGemms } from '../engine/gemm-sizes.js'
import type { Precision } from '../graph/lowering.js'
import type { DeviceRequest } from '../runtime/node/choose.js'
import { resolveSettings } from '../settings/index.js'
import { describeMachine } from './machine.js'
import type { EngineChoice, Run, Setting, Workload } from './messages.js'
import { BenchProcess } from './process.js'
import { type BenchReport, gemmRate, type MeasuredModelSetting, resultOf } from './report.js'
import { findSubjects, type Subject } from './subjects.js'

export interface BenchOptions {
  /** Pictures in one run. Default 1. */
  readonly batches?: readonly number[] | undefined
  /** For models that route; default: each model's own. */
  readonly keepRatios?: readonly number[] | undefined
  /** Default: as the engine chooses. */
  readonly threads?: readonly number[] | undefined
  /** Default `auto`. */
  readonly devices?: readonly DeviceRequest[] | undefined
  /** What linear maps compute in. Default fp32. */
  readonly precisions?: readonly Precision[] | undefined
  /** Times that every model has its turn. Default 10. */
  readonly rounds?: number | undefined
  /** A turn lasts at least so long, and two runs. Default 300 ms. */
  readonly turnMs?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: BenchProgress) => void) | undefined
}

export interface BenchProgress {
  readonly doing: 'loading' | 'warming up' | 'measuring'
  readonly what: string
  readonly done: number
  readonly total: number
}

/** A setting of a workload in its process. */
interface Cell<S extends Setting = Setting> {
  readonly process: BenchProcess
  readonly choice: EngineChoice
  readonly setting: S
  readonly runs: Run[]
}

type ModelCell = Cell<MeasuredModelSetting['setting']> & Pick<MeasuredModelSetting, 'subject'>

interface Cells {
  readonly products: Cell[]
  readonly models: ModelCell[]
}

function settingsOf(
  { architecture }: Subject,
  { batches = [1], keepRatios }: BenchOptions,
): ModelCell['setting'][] {
  const ratios =
    architecture.settings.keepRatio === undefined
      ? [undefined]
      : (keepRatios ?? [resolveSettings(architecture).values.keepRatio])
  return batches.flatMap((batch) => ratios.map((keepRatio) => ({ kind: 'model' as const, batch, keepRatio })))
}

/** Starts a process for each workload on each engine and loads it. */
async function load(
  subjects: readonly Subject[],
  choices: readonly EngineChoice[],
  { processes, engines, options }: { processes: BenchProcess[]; engines: Set<string>; options: BenchOptions },
): Promise<Cells> {
  const cells: Cells = { products: [], models: [] }
  const start = async (name: string, workload: Workload, choice: EngineChoice) => {
    throwIfAborted(options.signal)
    const total = choices.length * (subjects.length + 1)
    options.onProgress?.({ doing: 'loading', what: name, done: processes.length, total })
    const process = new BenchProcess(name, options.signal)
    processes.push(process)
    const { engine } = await process.ask('load', { ...choice, workload })
    engines.add(engine)
    return process
  }
  for (const choice of choices) {
    const gemm = await start('matrix products', { kind: 'gemm', sizes: machineGemms }, choice)
    machineGemms.forEach((_, index) => {
      cells.products.push({ process: gemm, choice, setting: { kind: 'gemm', index }, runs: [] })
    })
    for (const subject of subjects) {
      const process = await start(subject.name, { kind: 'model', model: subject.model }, choice)
      for (const setting of settingsOf(subject, options)) {
        cells.models.push({ process, choice, subject, setting, runs: [] })
      }
    }
  }
  return cells
}

function nameOf(cell: Cell | ModelCell): string {
  return 'subject' in cell ? cell.subject.name : 'matrix products'
}

async function warmUpAll(cells: readonly Cell[], { signal, onProgress }: BenchOptions): Promise<void> {
  for (const [done, cell] of cells.entries()) {
    throwIfAborted(signal)
    onProgress?.({ doing: 'warming up', what: nameOf(cell), done, total: cells.length })
    await cell.process.ask('warmUp', cell.setting)
  }
}

async function measureInRounds(cells: readonly Cell[], options: BenchOptions): Promise<void> {
  const { rounds = 10, turnMs = 300, signal, onProgress } = options
  for (let round = 0; round < rounds; round++) {
    for (const [turn, cell] of cells.entries()) {
      throwIfAborted(signal)
      const done = round * cells.length + turn
      onProgress?.({ doing: 'measuring', what: nameOf(cell), done, total: rounds * cells.length })
      const { process, setting } = cell
      cell.runs.push(...(await process.ask('sample', { setting, atLeastMs: turnMs, atLeastRuns: 2 })))
    }
  }
}

/**
 * Measures models on this machine, each alone in its own process, in rounds: every model has its turn in each,
 * so that what disturbs the machine disturbs all alike. The plain ViTs that models are compared with are added.
 * @param references shipped names, folders, hub ids, or configurations (with random weights)
 * @throws BlvitError `NOT_FOUND`, `BAD_CONFIG`, `BAD_OPTION`, `ENGINE`, `ABORTED`
 */
export async function bench(references: readonly string[], options: BenchOptions = {}): Promise<BenchReport> {
  const { threads = [undefined], devices = ['auto'], precisions = ['fp32'] } = options
  const machine = describeMachine()
  const subjects = await findSubjects(references, { baselines: true })
  const choices = devices.flatMap((device) =>
    threads.flatMap((count) => precisions.map((precision) => ({ device, threads: count, precision }))),
  )
  const processes: BenchProcess[] = []
  const engines = new Set<string>()
  try {
    const { products, models } = await load(subjects, choices, { processes, engines, options })
    const cells = [...products, ...models]
    await warmUpAll(cells, options)
    await measureInRounds(cells, options)
    const gemm = choices.map((choice) => gemmRate(choice, products))
    const results = models.map((model) => resultOf(model, { all: models, gemm }))
    return { version: 1, machine, engines: [...engines], gemm, results }
  } finally {
    await Promise.all(processes.map((process) => process.dispose()))
  }
}
