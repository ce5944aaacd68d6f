import { z } from 'zod'
import { BlvitError } from '../base/blvit-error.js'
import type { EngineChoice, Job, Workload } from '../bench/messages.js'
import { BenchProcess } from '../bench/process.js'
import { disturbedAmong, timesOf } from '../bench/report.js'
import { type BenchProgress, type Cell, measureInRounds, warmUpAll } from '../bench/rounds.js'
import { spreadOf } from '../bench/spread.js'
import type { SoundRow } from './plan-rows.js'

/** How fast a row is, and how much memory it takes. */
export const timesSchema = z.object({
  /** Of one picture on one engine, ms. */
  latencyMs: z.object({ p10: z.number(), median: z.number(), p90: z.number() }),
  runs: z.int(),
  /** Left out because they waited for a busy processor for more than 2 % of their time. */
  disturbedRuns: z.int(),
  /** With an engine for each processor: the fastest way to run many. */
  picturesPerSecond: z.number(),
  many: z.object({ lanes: z.int(), threads: z.int(), batch: z.int(), pictures: z.int() }),
  /** The most that the process of one engine held, all of Node's included. */
  peakMemoryBytes: z.number(),
  /** Rows that were measured in the same rounds, this one included. */
  measuredTogether: z.int(),
})

export type RowTimes = Readonly<z.infer<typeof timesSchema>>

export interface TimeOptions {
  readonly engine: EngineChoice
  readonly rounds: number
  readonly signal: AbortSignal | undefined
  readonly onProgress: (progress: BenchProgress) => void
}

/** A turn of a row in a round. */
const turn = { atLeastMs: 300, atLeastRuns: 2 }

interface Started {
  readonly row: SoundRow
  readonly single: Cell
  readonly many: Cell
  readonly manyRun: RowTimes['many']
}

/**
 * Measures rows, each alone in processes of its own, all having their turn in each round.
 * @returns for each row its times, or why there are none
 */
export async function timesOfRows(
  rows: readonly SoundRow[],
  { engine, rounds, signal, onProgress }: TimeOptions,
): Promise<readonly (RowTimes | BlvitError)[]> {
  const processes: BenchProcess[] = []
  const failures = new Map<SoundRow, BlvitError>()
  const fail = (row: SoundRow, thrown: unknown) => {
    if (!(thrown instanceof BlvitError) || thrown.code === 'ABORTED') throw thrown
    failures.set(row, thrown)
  }
  const begin = async (row: SoundRow, workload: Workload, job: Job) => {
    const name = `${row.model}, ${row.setting}${job.kind === 'many' ? ', many' : ''}`
    const process = new BenchProcess(name, signal)
    processes.push(process)
    const { many } = await process.ask('load', { ...engine, workload })
    const cell: Cell = { name, process, choice: engine, job, runs: [] }
    return { cell, many }
  }
  try {
    const started: Started[] = []
    for (const [done, row] of rows.entries()) {
      onProgress({ doing: 'loading', what: `${row.model}, ${row.setting}`, done, total: rows.length })
      const { subject, settings } = row.variant
      const { model } = subject
      try {
        const one = await begin(
          row,
          { kind: 'model', model, settings },
          { kind: 'model', batch: 1, settings },
        )
        const all = await begin(row, { kind: 'many', model, settings }, { kind: 'many', settings })
        if (!all.many) throw new Error('blvit bug: a process of many without a plan')
        started.push({ row, single: one.cell, many: all.cell, manyRun: all.many })
      } catch (thrown) {
        fail(row, thrown)
      }
    }
    const rowOf = new Map(
      started.flatMap(
        ({ row, single, many }) =>
          [
            [single, row],
            [many, row],
          ] as const,
      ),
    )
    const onFailure = (cell: Cell, thrown: unknown) => {
      const row = rowOf.get(cell)
      if (row) fail(row, thrown)
    }
    const cells = started.flatMap(({ single, many }) => [single, many])
    const warm = await warmUpAll(cells, { signal, onProgress, onFailure })
    await measureInRounds(warm, { rounds, turn, signal, onProgress, onFailure })
    const times = new Map<SoundRow, RowTimes>()
    for (const one of started) {
      if (failures.has(one.row)) continue
      try {
        times.set(one.row, await figures(one, started.length))
      } catch (thrown) {
        fail(one.row, thrown)
      }
    }
    return rows.map((row) => failures.get(row) ?? times.get(row) ?? neverMeasured(row))
  } finally {
    await Promise.all(processes.map((process) => process.dispose()))
  }
}

async function figures({ single, many, manyRun }: Started, measuredTogether: number): Promise<RowTimes> {
  const runs = timesOf(single)
  return {
    latencyMs: spreadOf(runs),
    runs: runs.length,
    disturbedRuns: disturbedAmong(single.runs),
    picturesPerSecond: (1000 * manyRun.pictures) / spreadOf(timesOf(many)).median,
    many: manyRun,
    peakMemoryBytes: await single.process.ask('peakMemory', undefined),
    measuredTogether,
  }
}

function neverMeasured({ model, setting }: SoundRow): BlvitError {
  return new BlvitError('ENGINE', `${model}, ${setting} was not measured.`)
}
