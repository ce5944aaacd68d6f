import { gemmWork, machineGemms, repeatsOf } from '../engine/gemm-sizes.js'
import type { Precision } from '../graph/lowering.js'
import type { DeviceRequest } from '../runtime/node/choose.js'
import { resolveSettings } from '../settings/index.js'
import { analyze } from '../tasks/analyze/analyze.js'
import type { Machine } from './machine.js'
import type { EngineChoice, Run, Setting } from './messages.js'
import { median, type Spread, spreadOf } from './spread.js'
import { type Subject, sameModel } from './subjects.js'

/** What a model is compared with: the plain ViT of the same sizes, measured in the same run. */
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
  readonly batch: number
  /** Absent where all tokens are treated alike. */
  readonly keepRatio?: number
  readonly runs: number
  /** Runs left out because they waited for a busy processor for more than 2 % of their time. */
  readonly disturbedRuns: number
  /** Of one run of the whole batch. */
  readonly latencyMs: Spread
  readonly imagesPerSecond: number
  /** Of one run of the whole batch: linear maps and attention products. */
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
  readonly version: 1
  readonly machine: Machine
  readonly engines: readonly string[]
  readonly gemm: readonly GemmRate[]
  readonly results: readonly BenchResult[]
}

/** Everything that was measured of a model or a product in one setting. */
export interface Measured<S extends Setting = Setting> {
  readonly choice: EngineChoice
  readonly setting: S
  readonly runs: readonly Run[]
}

export interface MeasuredModelSetting extends Measured<Extract<Setting, { kind: 'model' }>> {
  readonly subject: Subject
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

/** The best of the products' medians. */
export function gemmRate(choice: EngineChoice, products: readonly Measured[]): GemmRate {
  const rates = products
    .filter((product) => sameChoice(product.choice, choice))
    .map(({ setting, runs }) => {
      const size = setting.kind === 'gemm' ? machineGemms[setting.index] : undefined
      return size ? (2 * gemmWork(size) * repeatsOf(size)) / (1e6 * median(timesOf({ runs }))) : 0
    })
  return { ...choiceJson(choice), gflops: Math.max(...rates) }
}

function multiplyAddsOf({ subject, setting }: MeasuredModelSetting): number {
  const { batch, keepRatio } = setting
  return analyze(subject.architecture, { batch, keepRatio }).multiplyAdds.full
}

function efficiencyOf(
  model: MeasuredModelSetting,
  all: readonly MeasuredModelSetting[],
): Efficiency | undefined {
  const { plain } = model.subject.architecture
  const baseline = all.find(
    ({ subject, choice, setting }) =>
      plain !== undefined &&
      sameModel(subject.architecture, plain) &&
      sameChoice(choice, model.choice) &&
      setting.batch === model.setting.batch,
  )
  if (!baseline) return undefined
  const measuredSpeedup = median(timesOf(baseline)) / median(timesOf(model))
  const multiplyAddSpeedup = multiplyAddsOf(baseline) / multiplyAddsOf(model)
  return {
    baseline: baseline.subject.name,
    measuredSpeedup,
    multiplyAddSpeedup,
    efficiency: measuredSpeedup / multiplyAddSpeedup,
  }
}

/** The figures of a setting. @param all everything of the run: the baseline is looked up there */
export function resultOf(
  model: MeasuredModelSetting,
  { all, gemm }: { all: readonly MeasuredModelSetting[]; gemm: readonly GemmRate[] },
): BenchResult {
  const { subject, setting, choice, runs } = model
  const times = timesOf(model)
  const latencyMs = spreadOf(times)
  const multiplyAdds = multiplyAddsOf(model)
  const gflops = (2 * multiplyAdds) / (1e6 * latencyMs.median)
  const { keepRatio } = resolveSettings(subject.architecture, { keepRatio: setting.keepRatio }).values
  const against = efficiencyOf(model, all)
  const machine = gemm.find(({ device, threads, precision }) =>
    sameChoice({ device, threads, precision }, choice),
  )
  return {
    name: subject.name,
    ...choiceJson(choice),
    batch: setting.batch,
    ...(keepRatio === undefined ? {} : { keepRatio }),
    runs: times.length,
    disturbedRuns: disturbedAmong(runs),
    latencyMs,
    imagesPerSecond: (1000 * setting.batch) / latencyMs.median,
    multiplyAdds,
    gflops,
    shareOfGemmRate: gflops / (machine?.gflops ?? Number.NaN),
    ...(against ? { against } : {}),
  }
}
