import { type GemmSize, gemmWork, repeatsOf } from '../engine/gemm-sizes.js'
import { type Bindings, elements, evaluate } from '../graph/dim.js'
import { type Graph, graphOf } from '../graph/graph.js'
import { operand } from '../graph/op.js'
import { sizeAt } from '../graph/tensor.js'
import { programOf } from '../models/model-definition.js'
import { resolveSettings } from '../settings/index.js'
import type { EngineChoice, Setting } from './messages.js'
import { BenchProcess } from './process.js'
import { multiplyAddsByScope, type ProfileRow, rowsOf } from './profile-rows.js'
import { median } from './spread.js'
import { findSubjects, type Subject } from './subjects.js'
import { temporaryFolder } from './temporary-folder.js'

export interface ProfileOptions extends Partial<EngineChoice> {
  /** Default 1. */
  readonly batch?: number | undefined
  /** Default: the model's own. */
  readonly keepRatio?: number | undefined
  /** Default 20. */
  readonly runs?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** A size of linear map that the model consists of, measured alone. */
export interface ProductRow extends GemmSize {
  readonly count: number
  /** Of one. */
  readonly aloneMs: number
  readonly aloneGflops: number
}

/** Where a model's time goes. */
export interface Profile {
  readonly name: string
  readonly batch: number
  readonly keepRatio?: number
  /** Median of whole runs without the profiler. */
  readonly wallMs: number
  /** Sum over all operators, while the profiler ran. */
  readonly operatorsMs: number
  readonly rows: readonly ProfileRow[]
  readonly products: readonly ProductRow[]
  /** All linear maps, in the model and each at the speed that it has alone, with warm weights: a floor. */
  readonly linearMs: { readonly inModel: number; readonly alone: number }
}

/** The sizes of a graph's linear maps, each once with its count. */
function linearSizes(graph: Graph, sizes: Bindings): (GemmSize & { count: number })[] {
  const found = new Map<string, GemmSize & { count: number }>()
  for (const tensor of graph.nodes) {
    if (tensor.op !== 'Linear') continue
    const size = {
      rows: evaluate(elements(tensor.shape.slice(0, -1)), sizes),
      inner: evaluate(sizeAt(operand(tensor.inputs, 0), -1), sizes),
      columns: evaluate(sizeAt(tensor, -1), sizes),
    }
    const key = JSON.stringify(size)
    found.set(key, { ...size, count: (found.get(key)?.count ?? 0) + 1 })
  }
  return [...found.values()]
}

function graphAndSizes({ architecture }: Subject, { batch = 1, keepRatio }: ProfileOptions) {
  const settings = resolveSettings(architecture, { keepRatio })
  const model = architecture.build(settings.build)
  return {
    graph: graphOf(architecture.family, programOf(model, 'classify'), { sizes: model.sizes }),
    bindings: { batch, ...settings.sizes },
  }
}

async function medianMs(process: BenchProcess, setting: Setting): Promise<number> {
  await process.ask('warmUp', setting)
  const runs = await process.ask('sample', { setting, atLeastMs: 500, atLeastRuns: 5 })
  return median(runs.map(({ ms }) => ms))
}

async function profileSubject(subject: Subject, options: ProfileOptions): Promise<Profile> {
  const { batch = 1, keepRatio, runs = 20, device = 'auto', threads, precision = 'fp32', signal } = options
  const engine = { device, threads, precision }
  const setting = { kind: 'model' as const, batch, keepRatio }
  const { graph, bindings } = graphAndSizes(subject, options)
  const workload = { kind: 'model' as const, model: subject.model }

  await using alone = new BenchProcess(subject.name, signal)
  await alone.ask('load', { ...engine, workload })
  const wallMs = await medianMs(alone, setting)

  await using folder = await temporaryFolder('blvit-profile-')
  await using profiled = new BenchProcess(subject.name, signal)
  await profiled.ask('load', { ...engine, workload, profileFolder: folder.path })
  const nodes = await profiled.ask('profile', { setting, runs })
  const rows = rowsOf(nodes, multiplyAddsByScope(graph, bindings), runs)

  const sizes = linearSizes(graph, bindings)
  await using products = new BenchProcess('matrix products', signal)
  await products.ask('load', { ...engine, workload: { kind: 'gemm', sizes } })
  const measured: ProductRow[] = []
  for (const [index, size] of sizes.entries()) {
    const aloneMs = (await medianMs(products, { kind: 'gemm', index })) / repeatsOf(size)
    measured.push({ ...size, aloneMs, aloneGflops: (2 * gemmWork(size)) / (1e6 * aloneMs) })
  }
  const ratio = resolveSettings(subject.architecture, { keepRatio }).values.keepRatio
  return {
    name: subject.name,
    batch,
    ...(ratio === undefined ? {} : { keepRatio: ratio }),
    wallMs,
    operatorsMs: rows.reduce((sum, { ms }) => sum + ms, 0),
    rows,
    products: measured,
    linearMs: {
      inModel: rows.filter(({ operator }) => operator === 'Gemm').reduce((sum, { ms }) => sum + ms, 0),
      alone: measured.reduce((sum, { count, aloneMs }) => sum + count * aloneMs, 0),
    },
  }
}

/**
 * Where the time of models goes, by scope and operator, and how fast their matrix products are alone.
 * @throws BlvitError `NOT_FOUND`, `BAD_CONFIG`, `BAD_OPTION`, `ENGINE`, `ABORTED`
 */
export async function profile(
  references: readonly string[],
  options: ProfileOptions = {},
): Promise<Profile[]> {
  const profiles: Profile[] = []
  for (const subject of await findSubjects(references, { baselines: false })) {
    profiles.push(await profileSubject(subject, options))
  }
  return profiles
}
