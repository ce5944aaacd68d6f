import { BlvitError, throwIfAborted } from '../base/blvit-error.js'
import { type GemmSize, machineGemms } from '../engine/gemm-sizes.js'
import type { Precision } from '../graph/lowering.js'
import type { DeviceRequest } from '../runtime/device.js'
import type { Settings } from '../settings/settings.js'
import { describeMachine } from './machine.js'
import type { EngineChoice, Workload } from './messages.js'
import { BenchProcess } from './process.js'
import { type BenchReport, type MeasuredModel, machineRate, resultOf } from './report.js'
import { type BenchProgress, type Cell, measureInRounds, warmUpAll } from './rounds.js'
import { findVariants, type SubjectOptions, type Variant } from './variants.js'

export interface BenchOptions extends SubjectOptions {
  /** Pictures in one run, or `many`: as a model runs many, with an engine for each processor. Default 1. */
  readonly batches?: readonly (number | 'many')[] | undefined
  /** Each model is measured in those that it can take. Default: its own. */
  readonly settings?: readonly Settings[] | undefined
  /** Default: as the engine chooses. */
  readonly threads?: readonly number[] | undefined
  /** Default `auto`. */
  readonly devices?: readonly DeviceRequest[] | undefined
  /** What linear maps compute in. Default fp32. */
  readonly precisions?: readonly Precision[] | undefined
  /** Times that every model has its turn. Default 10. */
  readonly rounds?: number | undefined
  /** Matrix products whose rate the machine's is taken for. Default: those of a big ViT. */
  readonly products?: readonly GemmSize[] | undefined
  /** What runs no faster than before is warm, and all is after so long. Default 5000 ms. */
  readonly warmUpMs?: number | undefined
  /** A turn lasts at least so long, and two runs. Default 300 ms. */
  readonly turnMs?: number | undefined
  readonly onProgress?: ((progress: BenchProgress) => void) | undefined
}

type ModelCell = Cell<MeasuredModel['job']> & Pick<MeasuredModel, 'variant' | 'many' | 'counted'>

interface Loading {
  /** Every process that was started, to be ended. */
  readonly processes: BenchProcess[]
  readonly engines: Set<string>
  readonly options: BenchOptions
}

/** Variants that one loaded graph serves share a process. */
function byGraph(variants: readonly Variant[]): Variant[][] {
  const groups: Variant[][] = []
  for (const variant of variants) {
    const { subject, resolved } = variant
    const known = groups.find(
      ([first]) => first?.subject === subject && first.resolved.buildKey === resolved.buildKey,
    )
    if (known) known.push(variant)
    else groups.push([variant])
  }
  return groups
}

/** Starts a process for each workload on each engine and loads it. */
async function load(
  variants: readonly Variant[],
  choices: readonly EngineChoice[],
  { processes, engines, options }: Loading,
): Promise<{ products: Cell[]; models: ModelCell[] }> {
  const { batches = [1], products: sizes = machineGemms, signal, onProgress } = options
  const groups = byGraph(variants)
  const counts = batches.filter((batch) => batch !== 'many')
  const start = async (name: string, workload: Workload, choice: EngineChoice) => {
    throwIfAborted(signal)
    const kinds = Number(counts.length > 0) + Number(batches.includes('many'))
    const total = choices.length * (kinds * groups.length + 1)
    onProgress?.({ doing: 'loading', what: name, done: processes.length, total })
    const process = new BenchProcess(name, signal)
    processes.push(process)
    const { engine, many, counted } = await process.ask('load', { ...choice, workload })
    engines.add(engine)
    return { process, many, counted }
  }
  const products: Cell[] = []
  const models: ModelCell[] = []
  for (const choice of choices) {
    const name = 'matrix products'
    const { process: gemm } = await start(name, { kind: 'gemm', sizes }, choice)
    sizes.forEach((_, index) => {
      products.push({ name, process: gemm, choice, job: { kind: 'gemm', index }, runs: [] })
    })
    const alone = new Map<Variant, Awaited<ReturnType<typeof start>>>()
    const beside = new Map<Variant, Awaited<ReturnType<typeof start>>>()
    for (const group of groups) {
      const [first] = group
      if (!first) continue
      const measured = { model: first.subject.model, settings: first.settings }
      if (counts.length > 0) {
        const started = await start(nameOf(first), { kind: 'model', ...measured }, choice)
        for (const variant of group) alone.set(variant, started)
      }
      if (!batches.includes('many')) continue
      // what a lane best takes at once may differ between settings that one graph serves
      for (const variant of group) {
        const { subject, settings } = variant
        const workload = { kind: 'many', model: subject.model, settings } as const
        beside.set(variant, await start(`${nameOf(variant)}, many`, workload, choice))
      }
    }
    // variants of a model stand together at each batch, so that they can be compared
    for (const subject of new Set(variants.map((variant) => variant.subject))) {
      for (const batch of batches) {
        for (const [variant, { process, many, counted }] of batch === 'many' ? beside : alone) {
          if (variant.subject !== subject) continue
          const { settings } = variant
          const job =
            batch === 'many'
              ? ({ kind: 'many', settings } as const)
              : ({ kind: 'model', batch, settings } as const)
          models.push({ name: nameOf(variant), variant, process, choice, job, many, counted, runs: [] })
        }
      }
    }
  }
  return { products, models }
}

function noLanesOn(device: DeviceRequest): BlvitError {
  const message = `"many" is for the native library on the processor (device cpu): ${device} runs one thing at a time.`
  return new BlvitError('BAD_OPTION', message, { device })
}

function nameOf({ subject, settings, resolved }: Variant): string {
  return Object.keys(settings).length === 0 ? subject.name : `${subject.name}, ${resolved.key}`
}

/**
 * Measures models on this machine, each alone in its own process, in rounds. The models that they are compared with are
 * added: the plain ViTs of those that route, a model with all its tokens for one that a setting reduces.
 * @param references shipped names, folders, hub ids, or configurations (with random weights)
 * @throws BlvitError `NOT_FOUND`, `BAD_CONFIG`, `BAD_OPTION`, `ENGINE`, `ABORTED`
 */
export async function bench(references: readonly string[], options: BenchOptions = {}): Promise<BenchReport> {
  const { threads = [undefined], devices = ['auto'], precisions = ['fp32'], settings } = options
  const { batches = [], rounds = 10, turnMs = 300 } = options
  const inTurn = devices.find((device) => device === 'wasm' || device === 'webgpu')
  if (batches.includes('many') && inTurn !== undefined) throw noLanesOn(inTurn)
  const machine = describeMachine()
  const variants = await findVariants(references, { ...options, settings, baselines: true })
  const choices = devices.flatMap((device) =>
    threads.flatMap((count) => precisions.map((precision) => ({ device, threads: count, precision }))),
  )
  const processes: BenchProcess[] = []
  const engines = new Set<string>()
  try {
    const { products, models } = await load(variants, choices, { processes, engines, options })
    const cells = [...products, ...models]
    await warmUpAll(cells, options)
    await measureInRounds(cells, { ...options, rounds, turn: { atLeastMs: turnMs, atLeastRuns: 2 } })
    const gemm = choices.map((choice) => machineRate(choice, products, options.products))
    const results = models.map((model) => resultOf(model, { all: models, gemm }))
    return { version: 2, machine, engines: [...engines], gemm, results }
  } finally {
    await Promise.all(processes.map((process) => process.dispose()))
  }
}
