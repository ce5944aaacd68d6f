import { throwIfAborted } from '../base/blvit-error.js'
import type { EngineChoice, Job, Questions, Run } from './messages.js'
import type { BenchProcess } from './process.js'

export interface BenchProgress {
  readonly doing: 'loading' | 'warming up' | 'measuring'
  readonly what: string
  readonly done: number
  readonly total: number
}

export interface RoundOptions {
  /** Times that everything has its turn. */
  readonly rounds: number
  /** The longest that a job runs before it is measured; see {@link Questions.warmUp}. */
  readonly warmUpMs?: number | undefined
  /** How long a turn lasts. */
  readonly turn: { readonly atLeastMs: number; readonly atLeastRuns: number }
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: BenchProgress) => void) | undefined
  /** Told of a job that fails, which has no more turns. Default: the first failure ends all. */
  readonly onFailure?: ((cell: Cell, thrown: unknown) => void) | undefined
}

/** A job in its process, and what was measured of it so far. */
export interface Cell<J extends Job = Job> {
  /** For people. */
  readonly name: string
  readonly process: BenchProcess
  readonly choice: EngineChoice
  readonly job: J
  readonly runs: Run[]
}

/** @returns false where it failed and somebody is told */
async function attempt(
  cell: Cell,
  work: () => Promise<void>,
  { onFailure, signal }: Pick<RoundOptions, 'onFailure' | 'signal'>,
): Promise<boolean> {
  try {
    await work()
    return true
  } catch (thrown) {
    if (!onFailure || signal?.aborted) throw thrown
    onFailure(cell, thrown)
    return false
  }
}

/** Runs each job until its time no longer falls. @returns those that didn't fail */
export async function warmUpAll<C extends Cell>(
  cells: readonly C[],
  options: Pick<RoundOptions, 'warmUpMs' | 'signal' | 'onProgress' | 'onFailure'>,
): Promise<readonly C[]> {
  const warm: C[] = []
  for (const [done, cell] of cells.entries()) {
    const { process, name, job } = cell
    throwIfAborted(options.signal)
    options.onProgress?.({ doing: 'warming up', what: name, done, total: cells.length })
    const run = async () => void (await process.ask('warmUp', { job, longestMs: options.warmUpMs }))
    if (await attempt(cell, run, options)) warm.push(cell)
  }
  return warm
}

/** Measures in rounds: everything has its turn in each, so that what disturbs the machine disturbs all alike. */
export async function measureInRounds(cells: readonly Cell[], options: RoundOptions): Promise<void> {
  const { rounds, turn, signal, onProgress } = options
  const total = rounds * cells.length
  const failed = new Set<Cell>()
  for (let round = 0; round < rounds; round++) {
    for (const [place, cell] of cells.entries()) {
      if (failed.has(cell)) continue
      const { process, name, job, runs } = cell
      throwIfAborted(signal)
      onProgress?.({ doing: 'measuring', what: name, done: round * cells.length + place, total })
      const run = async () => void runs.push(...(await process.ask('sample', { job, ...turn })))
      if (!(await attempt(cell, run, options))) failed.add(cell)
    }
  }
}
