import { type GemmSize, gemmGflops, repeatsOf } from '../engine/gemm-sizes.js'
import { type Bindings, elements, evaluate } from '../graph/dim.js'
import type { Graph } from '../graph/graph.js'
import { operand } from '../graph/op.js'
import { sizeAt } from '../graph/tensor.js'
import type { Settings } from '../settings/settings.js'
import type { EngineChoice, Job } from './messages.js'
import { BenchProcess, temporaryFolder } from './process.js'
import { linearMsOf, multiplyAddsByScope, type ProfileRow, rowsOf } from './profile-rows.js'
import { runGraph } from './run-graph.js'
import { median } from './spread.js'
import { findVariants, type SubjectOptions, type Variant } from './variants.js'

export interface ProfileOptions extends Partial<EngineChoice>, SubjectOptions {
  /** Default 1. */
  readonly batch?: number | undefined
  /** Default: the model's own. */
  readonly settings?: Settings | undefined
  /** Default 20. */
  readonly runs?: number | undefined
  /** Whole runs, and each size of product, are measured at least so long, and five times. Default 300 ms. */
  readonly turnMs?: number | undefined
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
  /** What it was run with, for people; `plain` where nothing was set. */
  readonly setting: string
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

async function medianMs(process: BenchProcess, job: Job, { turnMs = 300 }: ProfileOptions): Promise<number> {
  await process.ask('warmUp', { job })
  const runs = await process.ask('sample', { job, atLeastMs: turnMs, atLeastRuns: 5 })
  return median(runs.map(({ ms }) => ms))
}

async function profileVariant(variant: Variant, options: ProfileOptions): Promise<Profile> {
  const { batch = 1, runs = 20, device = 'auto', threads, precision = 'fp32', signal } = options
  const { subject, settings, resolved } = variant
  const engine = { device, threads, precision }
  const job = { kind: 'model', batch, settings } as const
  const { graph, bindings } = runGraph(variant, options)
  // its settings at once: on WebGPU, whose graphs have fixed sizes, other ones would be a second session and profile
  const workload = { kind: 'model', model: subject.model, settings } as const

  await using folder = await temporaryFolder('blvit-profile-')
  await using alone = new BenchProcess(subject.name, signal)
  await using profiled = new BenchProcess(subject.name, signal)
  // first the one that an engine without profiles refuses
  await profiled.ask('load', { ...engine, workload, profileFolder: folder.path })
  await alone.ask('load', { ...engine, workload })
  const wallMs = await medianMs(alone, job, options)
  const nodes = await profiled.ask('profile', { job, runs })
  const rows = rowsOf(nodes, multiplyAddsByScope(graph, bindings), runs)

  const sizes = linearSizes(graph, bindings)
  await using products = new BenchProcess('matrix products', signal)
  await products.ask('load', { ...engine, workload: { kind: 'gemm', sizes } })
  const measured: ProductRow[] = []
  for (const [index, size] of sizes.entries()) {
    const aloneMs = (await medianMs(products, { kind: 'gemm', index }, options)) / repeatsOf(size)
    measured.push({ ...size, aloneMs, aloneGflops: gemmGflops(size, aloneMs) })
  }
  return {
    name: subject.name,
    batch,
    setting: resolved.key,
    wallMs,
    operatorsMs: rows.reduce((sum, { ms }) => sum + ms, 0),
    rows,
    products: measured,
    linearMs: {
      inModel: linearMsOf(nodes, graph, runs),
      alone: measured.reduce((sum, { count, aloneMs }) => sum + count * aloneMs, 0),
    },
  }
}

/**
 * Where the time of models goes, by scope and operator, and how fast their matrix products are alone.
 * @throws BlvitError `NOT_FOUND`, `BAD_CONFIG`, `BAD_OPTION`, `ENGINE`, `ABORTED`, `UNSUPPORTED` for WebAssembly
 */
export async function profile(
  references: readonly string[],
  options: ProfileOptions = {},
): Promise<Profile[]> {
  const profiles: Profile[] = []
  const settings = options.settings && [options.settings]
  for (const variant of await findVariants(references, { ...options, settings, baselines: false })) {
    profiles.push(await profileVariant(variant, options))
  }
  return profiles
}
