import { type GemmSize, gemmGflops, machineGemms, repeatsOf } from '../engine/gemm-sizes.js'
import type { Bindings } from '../graph/dim.js'
import { graphWork } from '../graph/graph.js'
import type { Precision } from '../graph/lowering.js'
import type { DeviceRequest } from '../runtime/device.js'
import type { Machine } from './machine.js'
import type { EngineChoice, Job, ManyRun, Run } from './messages.js'
import { runGraph } from './run-graph.js'
import { median, type Spread, spreadOf } from './spread.js'
import { baselineOf, sameVariant, type Variant } from './variants.js'

/** What a model is compared with, measured in the same run: the plain ViT of its sizes, or itself with all tokens. */
export interface Efficiency {
  readonly baseline: string
  /** Time of the baseline ÷ time of the model. */
  readonly measuredSpeedup: number
  /** Multiply-adds of the baseline ÷ multiply-adds of the model: what the clock would show if work were time. */
  readonly multiplyAddSpeedup: number
  /** η = measured speed-up ÷ multiply-add speed-up */
  readonly efficiency: number
}

export interface BenchResult {
  readonly name: string
  readonly device: DeviceRequest
  /** Absent: as the engine chose. */
  readonly threads?: number
  readonly precision: Precision
  /** Pictures that an engine took at once. */
  readonly batch: number
  /** Engines that worked beside each other, and how many pictures they were given; absent where one did all. */
  readonly many?: ManyRun
  /** What the model was run with, for people: `keep ratio 0.5`, `evit:0.7`; `plain` where nothing was set. */
  readonly setting: string
  readonly runs: number
  /** Runs left out because they waited for a busy processor for more than 2 % of their time. */
  readonly disturbedRuns: number
  /** Of one run of the whole batch, or of all of many pictures. */
  readonly latencyMs: Spread
  readonly imagesPerSecond: number
  /** Pictures a second beside those of one picture a run, where that was measured too. */
  readonly besideBatch1?: number
  /**
   * Of what {@link latencyMs} is of, as the engine computes it: linear maps and attention products, without those that nobody
   * reads (`readPart`), which papers count too.
   */
  readonly multiplyAdds: number
  /** 10⁹ floating-point operations a second; a multiply-add is two. */
  readonly gflops: number
  readonly shareOfGemmRate: number
  readonly against?: Efficiency
}

/** What large matrix products alone reach on the machine, in the same run. */
export interface GemmRate {
  readonly device: DeviceRequest
  readonly threads?: number
  readonly precision: Precision
  readonly gflops: number
}

export interface BenchReport {
  readonly version: 2
  readonly machine: Machine
  readonly engines: readonly string[]
  readonly gemm: readonly GemmRate[]
  readonly results: readonly BenchResult[]
}

/** Everything that was measured of a model or a product in one job. */
export interface Measured<J extends Job = Job> {
  readonly choice: EngineChoice
  readonly job: J
  readonly runs: readonly Run[]
}

export interface MeasuredModel extends Measured<Extract<Job, { kind: 'model' | 'many' }>> {
  readonly variant: Variant
  readonly many?: ManyRun | undefined
  /** What one of its pictures decided; see `Program.counted`. */
  readonly counted?: Bindings | undefined
}

/** Of one run. */
function picturesOf({ job, many }: Pick<MeasuredModel, 'job' | 'many'>): number {
  return job.kind === 'model' ? job.batch : (many?.pictures ?? Number.NaN)
}

function msPerPicture(model: MeasuredModel): number {
  return median(timesOf(model)) / picturesOf(model)
}

const mostWaiting = 0.02

/** A run that waited for a processor says more about the machine's other work than about the model. */
function undisturbed(runs: readonly Run[]): readonly Run[] {
  const calm = runs.filter(({ waitShare = 0 }) => waitShare <= mostWaiting)
  // On a machine that is busy all the time a spread of disturbed runs is all there is; the count tells.
  return calm.length >= 3 ? calm : runs
}

export function timesOf({ runs }: Pick<Measured, 'runs'>): number[] {
  return undisturbed(runs).map(({ ms }) => ms)
}

/** How many runs were disturbed. */
export function disturbedAmong(runs: readonly Run[]): number {
  return runs.filter(({ waitShare = 0 }) => waitShare > mostWaiting).length
}

function choiceJson({ device, threads, precision }: EngineChoice) {
  return { device, ...(threads === undefined ? {} : { threads }), precision }
}

function sameChoice(a: EngineChoice, b: EngineChoice): boolean {
  return a.device === b.device && a.threads === b.threads && a.precision === b.precision
}

/** The rate of large products on a machine: the best of their medians. */
export function machineRate(
  choice: EngineChoice,
  products: readonly Measured[],
  sizes: readonly GemmSize[] = machineGemms,
): GemmRate {
  const rates = products
    .filter((product) => sameChoice(product.choice, choice))
    .map(({ job, runs }) => {
      const size = job.kind === 'gemm' ? sizes[job.index] : undefined
      return size ? gemmGflops(size, median(timesOf({ runs })) / repeatsOf(size)) : 0
    })
  return { ...choiceJson(choice), gflops: Math.max(...rates) }
}

/** Of one picture. */
function multiplyAddsOf({ variant, counted, choice: { precision } }: MeasuredModel): number {
  const { graph, bindings } = runGraph(variant, { precision, counted })
  return graphWork(graph, bindings)
}

function sameBatch(a: MeasuredModel, b: MeasuredModel): boolean {
  return a.job.kind === 'model' && b.job.kind === 'model'
    ? a.job.batch === b.job.batch
    : a.job.kind === b.job.kind
}

function efficiencyOf(model: MeasuredModel, all: readonly MeasuredModel[]): Efficiency | undefined {
  const wanted = baselineOf(model.variant)
  const baseline = all.find(
    (other) =>
      wanted !== undefined &&
      sameVariant(other.variant, wanted) &&
      sameChoice(other.choice, model.choice) &&
      sameBatch(other, model),
  )
  if (!baseline) return undefined
  const measuredSpeedup = msPerPicture(baseline) / msPerPicture(model)
  const multiplyAddSpeedup = multiplyAddsOf(baseline) / multiplyAddsOf(model)
  return {
    baseline: baseline.variant.subject.name,
    measuredSpeedup,
    multiplyAddSpeedup,
    efficiency: measuredSpeedup / multiplyAddSpeedup,
  }
}

/** The figures of a variant. @param options `all`: everything of the run; the baseline is looked up there */
export function resultOf(
  model: MeasuredModel,
  { all, gemm }: { all: readonly MeasuredModel[]; gemm: readonly GemmRate[] },
): BenchResult {
  const { variant, job, choice, runs } = model
  const times = timesOf(model)
  const latencyMs = spreadOf(times)
  const pictures = picturesOf(model)
  const multiplyAdds = pictures * multiplyAddsOf(model)
  const gflops = (2 * multiplyAdds) / (1e6 * latencyMs.median)
  const against = efficiencyOf(model, all)
  const single = all.find(
    (other) =>
      other.job.kind === 'model' &&
      other.job.batch === 1 &&
      sameVariant(other.variant, variant) &&
      sameChoice(other.choice, choice),
  )
  const machine = gemm.find(({ device, threads, precision }) =>
    sameChoice({ device, threads, precision }, choice),
  )
  return {
    name: variant.subject.name,
    ...choiceJson(choice),
    batch: job.kind === 'model' ? job.batch : (model.many?.batch ?? Number.NaN),
    ...(model.many && { many: model.many }),
    setting: variant.resolved.key,
    runs: times.length,
    disturbedRuns: disturbedAmong(runs),
    latencyMs,
    imagesPerSecond: (1000 * pictures) / latencyMs.median,
    ...(single && { besideBatch1: msPerPicture(single) / msPerPicture(model) }),
    multiplyAdds,
    gflops,
    shareOfGemmRate: gflops / (machine?.gflops ?? Number.NaN),
    ...(against ? { against } : {}),
  }
}
