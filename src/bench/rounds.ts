import { throwIfAborted } from '../base/blvit-error.js'
import type { EngineChoice, Job, Run } from './messages.js'
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
  /** How long a turn lasts. */
  readonly turn: { readonly atLeastMs: number; readonly atLeastRuns: number }
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: BenchProgress) => void) | undefined
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

/** Runs each job until its time no longer falls. */
export async function warmUpAll(
  cells: readonly Cell[],
  { signal, onProgress }: Pick<RoundOptions, 'signal' | 'onProgress'>,
): Promise<void> {
  for (const [done, { process, name, job }] of cells.entries()) {
    throwIfAborted(signal)
    onProgress?.({ doing: 'warming up', what: name, done, total: cells.length })
    await process.ask('warmUp', job)
  }
}

/** Measures in rounds: everything has its turn in each, so that what disturbs the machine disturbs all alike. */
export async function measureInRounds(
  cells: readonly Cell[],
  { rounds, turn, signal, onProgress }: RoundOptions,
): Promise<void> {
  const total = rounds * cells.length
  for (let round = 0; round < rounds; round++) {
    for (const [place, { process, name, job, runs }] of cells.entries()) {
      throwIfAborted(signal)
      onProgress?.({ doing: 'measuring', what: name, done: round * cells.length + place, total })
      runs.push(...(await process.ask('sample', { job, ...turn })))
    }
  }
}
