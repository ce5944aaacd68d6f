import { BlvitError } from '../base/blvit-error.js'
import { checkWholeNumbers } from '../base/whole-number.js'
import type { LaneSource } from '../runtime/runtime.js'
import type { ResolvedSettings } from '../settings/resolve.js'

/** How many pictures are run at once: a number of lanes, or `auto`, as many as gain something where there are many pictures. */
export type Parallel = number | 'auto'

/** How the processors are shared among lanes. */
export interface LanePlan {
  readonly lanes: number
  /** Of each. */
  readonly threads: number
}

export interface LaneNeeds {
  /** Processors that may be used in all. Default: all. */
  readonly threads?: number | undefined
  readonly parallel: Parallel
  /** Of the weights in float32. */
  readonly weightBytes: number
}

// A lane has a copy of all weights in the order in which the engine multiplies, what a few pictures take on their way, and
// a thread with its JavaScript. Measured: 46 MB a lane of ViT-Tiny (23 MB of weights), 383 of ViT-B (346).
const overheadBytes = 50_000_000
// What else the process and the machine do wants memory too.
const shareOfMemory = 0.5

// Another engine takes about as long to open as ten pictures take to run. A small model gains nearly half of its time by
// it, one whose products keep all threads busy a tenth.
const smallModelBytes = 100_000_000
const manyForSmall = 16
const manyForLarge = 64

// As many threads as the largest machines have cores.
const mostLanes = 1024

/** @throws BlvitError `BAD_OPTION` for a number that is none, more lanes than threads, or lanes where there are none */
export function checkParallel(
  parallel: Parallel,
  { threads, source, where }: { threads?: number | undefined; source: LaneSource | undefined; where: string },
): void {
  if (parallel === 'auto' || parallel === 1) return
  checkWholeNumbers({ parallel }, { most: mostLanes })
  if (!source) {
    throw new BlvitError(
      'BAD_OPTION',
      `${where} runs one thing at a time: parallel ${parallel} is for the native library on the processor (device cpu). Leave it out.`,
      { parallel },
    )
  }
  if (threads !== undefined && threads < parallel) {
    throw new BlvitError(
      'BAD_OPTION',
      `parallel ${parallel} needs at least as many threads, and threads is ${threads}: it is the number of all lanes together.`,
      { parallel, threads },
    )
  }
}

/** From how many pictures on it pays to open an engine for each processor. */
export function manyPictures(weightBytes: number): number {
  return weightBytes > smallModelBytes ? manyForLarge : manyForSmall
}

/** The lanes for many pictures: one for each processor, fewer with more threads each where memory ends before. */
export function planLanes(source: LaneSource, { threads, parallel, weightBytes }: LaneNeeds): LanePlan {
  const processors = threads ?? source.processors
  const planOf = (lanes: number) => ({ lanes, threads: Math.max(1, Math.floor(processors / lanes)) })
  if (parallel !== 'auto') return planOf(parallel)
  const fitting = Math.floor((shareOfMemory * source.freeBytes()) / (weightBytes + overheadBytes))
  const most = Math.max(1, Math.min(processors, fitting))
  // of 16 processors 5 lanes would leave one idle, 4 none
  const plans = Array.from({ length: most }, (_, i) => planOf(most - i))
  return plans.reduce((best, plan) => (plan.lanes * plan.threads > best.lanes * best.threads ? plan : best))
}

/** The lanes that so many pictures keep busy: the others need not be opened. */
export function busyLanes({ lanes }: LanePlan, pictures: number): number {
  return Math.max(1, Math.min(lanes, pictures))
}

// Measured on one thread (docs/performance.md): products of some 200 rows run at their full rate; more only
// pushes the tokens of a picture out of the cache.
const rowsPerProduct = 256
const tokensSaved = 4

/** Pictures that a lane of one thread best takes at once. */
export function picturesPerLaneRun({
  architecture: { grid, prefix },
  sizes,
  build,
}: Pick<ResolvedSettings, 'architecture' | 'sizes' | 'build'>): number {
  // blocks with fewer tokens have products of few rows, for which weights are fetched from memory
  if (build.hooks || Object.keys(sizes).length > 0) return tokensSaved
  return Math.max(1, Math.ceil(rowsPerProduct / (grid.rows * grid.columns + prefix)))
}
