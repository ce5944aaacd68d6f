import { BlvitError } from '../base/blvit-error.js'
import type { EngineChoice } from './messages.js'
import { BenchProcess } from './process.js'
import { median } from './spread.js'
import { findSubjects, type Subject } from './subjects.js'

/** What is wanted of one run: at most so many milliseconds, or so many times the plain ViT's speed. */
export type SpeedGoal = { readonly ms: number } | { readonly speedup: number }

export interface FindOptions extends Partial<EngineChoice> {
  /** Default 1. */
  readonly batch?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** The largest keep ratio that meets the goal here, now. */
export interface FoundKeepRatio {
  readonly name: string
  readonly batch: number
  readonly keepRatio: number
  /** Patches that it keeps. */
  readonly kept: number
  /** Median of one run at it. */
  readonly latencyMs: number
  /** Of the plain ViT of the same sizes. */
  readonly baseline: { readonly name: string; readonly latencyMs: number }
}

/** Runs for about so long give one median. */
const probeMs = 400

/** A keep ratio written with few digits that keeps exactly so many patches. */
function ratioOf(kept: number, patches: number): number {
  return Math.ceil((1e4 * kept) / patches) / 1e4
}

async function findFor(
  goal: SpeedGoal,
  [plain, routed]: readonly [Subject, Subject],
  { batch = 1, device = 'auto', threads, precision = 'fp32', signal }: FindOptions,
): Promise<FoundKeepRatio> {
  const { grid } = routed.architecture
  const patches = grid.rows * grid.columns
  await using plainProcess = new BenchProcess(plain.name, signal)
  await using routedProcess = new BenchProcess(routed.name, signal)
  const engine = { device, threads, precision }
  await plainProcess.ask('load', { ...engine, workload: { kind: 'model', model: plain.model } })
  await routedProcess.ask('load', { ...engine, workload: { kind: 'model', model: routed.model } })

  const probe = async (process: BenchProcess, keepRatio: number | undefined) => {
    const setting = { kind: 'model' as const, batch, keepRatio }
    await process.ask('warmUp', setting)
    const runs = await process.ask('sample', { setting, atLeastMs: probeMs, atLeastRuns: 5 })
    return median(runs.map(({ ms }) => ms))
  }
  const baselineMs = await probe(plainProcess, undefined)
  const wantedMs = 'ms' in goal ? goal.ms : baselineMs / goal.speedup
  const latencyAt = (kept: number) => probe(routedProcess, ratioOf(kept, patches))

  let slowest = patches + 1 // the smallest number of patches known to be too slow
  let best: { kept: number; latencyMs: number } | undefined
  let fastestMs = Number.POSITIVE_INFINITY
  for (let kept = 1; ; kept = Math.floor(((best?.kept ?? 0) + slowest) / 2)) {
    const latencyMs = await latencyAt(kept)
    fastestMs = Math.min(fastestMs, latencyMs)
    if (latencyMs <= wantedMs) best = { kept, latencyMs }
    else slowest = kept
    if (!best || slowest - best.kept <= 1) break
  }
  if (!best) {
    throw new BlvitError(
      'UNSUPPORTED',
      `${routed.name} can't do that here: with one patch in the big blocks it takes ${fastestMs.toFixed(1)} ms ` +
        `a run, and the goal is ${wantedMs.toFixed(1)} ms (${plain.name}: ${baselineMs.toFixed(1)} ms). ` +
        'Take a smaller model, a smaller batch or more threads.',
      { fastestMs, wantedMs, baselineMs },
    )
  }
  return {
    name: routed.name,
    batch,
    keepRatio: ratioOf(best.kept, patches),
    ...best,
    baseline: { name: plain.name, latencyMs: baselineMs },
  }
}

/**
 * The largest keep ratio at which models are as fast as wanted on this machine, by halving.
 * @throws BlvitError `UNSUPPORTED` if no keep ratio is fast enough or a model doesn't route; and as `bench`
 */
export async function findKeepRatio(
  references: readonly string[],
  goal: SpeedGoal,
  options: FindOptions = {},
): Promise<FoundKeepRatio[]> {
  const found: FoundKeepRatio[] = []
  for (const reference of references) {
    const subjects = await findSubjects([reference], { baselines: true })
    const [plain, routed] = subjects
    if (!plain || !routed) {
      throw new BlvitError(
        'UNSUPPORTED',
        `${reference} processes every token: it has no keep ratio to find. Convert it first: blvit convert.`,
      )
    }
    found.push(await findFor(goal, [plain, routed], options))
  }
  return found
}
