import { BlvitError } from '../base/blvit-error.js'
import { ladderOf } from '../settings/resolve.js'
import type { Settings } from '../settings/settings.js'
import type { EngineChoice } from './messages.js'
import { BenchProcess } from './process.js'
import { median } from './spread.js'
import {
  baselineOf,
  findSubject,
  type Subject,
  type SubjectOptions,
  type Variant,
  variantOf,
} from './variants.js'

/** What is wanted of one run: at most so many milliseconds, or so many times the speed with all tokens. */
export type SpeedGoal = { readonly ms: number } | { readonly speedup: number }

export interface FindOptions extends Partial<EngineChoice>, SubjectOptions {
  /** Default 1. */
  readonly batch?: number | undefined
  /** Whose number is turned, e.g. `{ reduce: 'evit:0.7' }`; default: the model's own keep ratio. */
  readonly settings?: Settings | undefined
  /** Runs for about so long give one median. Default 400 ms. */
  readonly probeMs?: number | undefined
}

/** The setting that saves least and meets the goal here, now. */
export interface FoundSetting {
  readonly name: string
  readonly batch: number
  /** For people: `keep ratio 0.43`, `evit:0.65`. */
  readonly setting: string
  readonly settings: Settings
  /** Median of one run at it. */
  readonly latencyMs: number
  /** Of the plain ViT of the same sizes, or of the model with all its tokens. */
  readonly baseline: { readonly name: string; readonly latencyMs: number }
}

/** Measures variants of one model one after the other, each graph in a process of its own. */
class Prober implements AsyncDisposable {
  private loaded: { readonly variant: Variant; readonly process: BenchProcess } | undefined

  constructor(
    private readonly engine: EngineChoice,
    private readonly options: {
      readonly batch: number
      readonly probeMs: number
      readonly signal: AbortSignal | undefined
    },
  ) {}

  /** Median milliseconds of a run. */
  async latencyOf(variant: Variant): Promise<number> {
    const { batch, probeMs } = this.options
    const process = await this.processFor(variant)
    const job = { kind: 'model', batch, settings: variant.settings } as const
    await process.ask('warmUp', { job })
    const runs = await process.ask('sample', { job, atLeastMs: probeMs, atLeastRuns: 5 })
    return median(runs.map(({ ms }) => ms))
  }

  private async processFor(variant: Variant): Promise<BenchProcess> {
    const { subject, settings, resolved } = variant
    const before = this.loaded
    if (before?.variant.subject === subject && before.variant.resolved.buildKey === resolved.buildKey)
      return before.process
    await this[Symbol.asyncDispose]()
    const process = new BenchProcess(subject.name, this.options.signal)
    this.loaded = { variant, process }
    await process.ask('load', { ...this.engine, workload: { kind: 'model', model: subject.model, settings } })
    return process
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.loaded?.process.dispose()
    this.loaded = undefined
  }
}

async function findFor(subject: Subject, goal: SpeedGoal, options: FindOptions): Promise<FoundSetting> {
  const { batch = 1, device = 'auto', threads, precision = 'fp32', settings } = options
  const { probeMs = 400, signal } = options
  const steps = ladderOf(subject.architecture, settings).map((one) => variantOf(subject, one))
  const baseline = steps[0] && baselineOf(steps[0])
  if (!baseline) {
    throw new BlvitError(
      'UNSUPPORTED',
      `${subject.name} has no number to turn: it processes every token. Name a setting with one, such as ` +
        '--reduce evit:0.7, or convert the model first: blvit convert.',
    )
  }
  await using prober = new Prober({ device, threads, precision }, { batch, probeMs, signal })
  const baselineMs = await prober.latencyOf(baseline)
  const wantedMs = 'ms' in goal ? goal.ms : baselineMs / goal.speedup

  let tooSlow = steps.length // the first step that is known to be too slow
  let best: { place: number; variant: Variant; latencyMs: number } | undefined
  let fastestMs = Number.POSITIVE_INFINITY
  for (let place = 0; ; place = Math.floor(((best?.place ?? 0) + tooSlow) / 2)) {
    const variant = steps[place]
    if (!variant) break
    const latencyMs = await prober.latencyOf(variant)
    fastestMs = Math.min(fastestMs, latencyMs)
    if (latencyMs <= wantedMs) best = { place, variant, latencyMs }
    else tooSlow = place
    if (!best || tooSlow - best.place <= 1) break
  }
  if (!best) {
    throw new BlvitError(
      'UNSUPPORTED',
      `${subject.name} can't do that here: at ${steps[0]?.resolved.key}, which saves most, it takes ` +
        `${fastestMs.toFixed(1)} ms a run, and the goal is ${wantedMs.toFixed(1)} ms ` +
        `(${baseline.subject.name}: ${baselineMs.toFixed(1)} ms). Take a smaller model, a smaller batch or more threads.`,
      { fastestMs, wantedMs, baselineMs },
    )
  }
  return {
    name: subject.name,
    batch,
    setting: best.variant.resolved.key,
    settings: best.variant.settings,
    latencyMs: best.latencyMs,
    baseline: { name: baseline.subject.name, latencyMs: baselineMs },
  }
}

/**
 * The setting that saves least at which models are as fast as wanted on this machine, by halving.
 * @throws BlvitError `UNSUPPORTED` if no value is fast enough or there is no number to turn; and as `bench`
 */
export async function findSetting(
  references: readonly string[],
  goal: SpeedGoal,
  options: FindOptions = {},
): Promise<FoundSetting[]> {
  const found: FoundSetting[] = []
  for (const reference of references)
    found.push(await findFor(await findSubject(reference, options), goal, options))
  return found
}
