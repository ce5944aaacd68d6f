import { deviation, mean } from 'd3-array'
import type { Machine } from '../bench/machine.js'
import type { RowTimes } from '../comparison/times.js'
import { type JudgedClaim, judged, type RowScores } from './claims.js'
import type { Experiment, ExperimentRow, PaperFigure } from './experiment.js'
import type { RunResult } from './run.js'

/** A run of a row, done. */
export interface SeededRun {
  readonly seed: number
  readonly result: RunResult
}

/** What a row came to, over its seeds. */
export interface TableRow {
  readonly name: string
  readonly title: string
  readonly isControl: boolean
  /** Top-1, 0 … 1; absent while no run is done. `deviation`: of the sample, absent with one seed. */
  readonly top1?: { readonly mean: number; readonly deviation?: number }
  /** Of each way in which models are measured, where there are several. */
  readonly scores?: Readonly<Record<string, { readonly mean: number; readonly deviation?: number }>>
  /** Top-1 before it was trained, of the first seed; absent where it then could do nothing. */
  readonly untrained?: number
  readonly parameters?: number
  /** Of one picture, the mean of the seeds where pictures decide it. */
  readonly multiplyAdds?: { readonly linear: number; readonly full: number }
  /** Of the whole row's multiply-adds, attention products included. */
  readonly share?: number
  readonly isCounted: boolean
  readonly times?: RowTimes
  readonly paper?: PaperFigure
  readonly runs: readonly SeededRun[]
  readonly error?: string
}

/** A table of trained models with what it says about the claims. */
export interface ReproducedTable {
  readonly version: 1
  readonly name: string
  readonly title: string
  readonly about: string
  readonly machine: Machine
  /** For people. */
  readonly data: string
  readonly teacher: string
  /** Pictures that each row was trained with, in place of those that {@link about} speaks of; absent: those. */
  readonly images?: number
  /** Pictures that were tested with; undefined while no run is done. */
  readonly pictures?: number
  readonly whole: string
  readonly rows: readonly TableRow[]
  readonly claims: readonly JudgedClaim[]
}

/** What was found out of a row. */
export interface FoundRow {
  readonly row: ExperimentRow
  readonly runs: readonly SeededRun[]
  readonly times: RowTimes | undefined
  readonly error: string | undefined
}

function top1Of({ result: { top1 } }: SeededRun): number {
  return top1.right / top1.of
}

/** Of some runs. */
function spreadOf(scores: readonly number[]): { readonly mean: number; readonly deviation?: number } {
  const spread = deviation(scores)
  return { mean: mean(scores) ?? Number.NaN, ...(spread !== undefined && { deviation: spread }) }
}

/** The runs of a row by a score's name. */
function scoreOf(name: string): (run: SeededRun) => number {
  return ({ result: { scores } }) => {
    const { right, of } = scores?.[name] ?? { right: Number.NaN, of: 1 }
    return right / of
  }
}

function tableRow({ row, runs, times, error }: FoundRow, whole: number | undefined): TableRow {
  const [first] = runs
  const untrained = first?.result.untrained
  const meanOf = (of: 'linear' | 'full') => mean(runs, ({ result }) => result.multiplyAdds[of]) ?? Number.NaN
  const full = meanOf('full')
  return {
    ...{ name: row.name, title: row.title, isControl: row.isControl ?? false },
    ...(first && {
      top1: spreadOf(runs.map(top1Of)),
      ...(first.result.scores && {
        scores: Object.fromEntries(
          Object.keys(first.result.scores).map((name) => [name, spreadOf(runs.map(scoreOf(name)))]),
        ),
      }),
      parameters: first.result.parameters,
      multiplyAdds: { linear: meanOf('linear'), full },
    }),
    ...(first && whole !== undefined && { share: full / whole }),
    ...(untrained && { untrained: untrained.right / untrained.of }),
    isCounted: first?.result.counted !== undefined,
    ...(times && { times }),
    ...(row.paper && { paper: row.paper }),
    runs,
    ...(error !== undefined && { error }),
  }
}

export interface TableFacts extends Pick<ReproducedTable, 'machine' | 'data' | 'teacher' | 'images'> {
  readonly found: readonly FoundRow[]
}

/** Puts what was found out side by side, and judges the claims by it. */
export function reproducedTable(
  { name, title, about, whole, claims }: Experiment,
  { found, ...facts }: TableFacts,
): ReproducedTable {
  const wholeWork = found.find(({ row }) => row.name === whole)?.runs[0]?.result.multiplyAdds.full
  const rows = found.map((one) => tableRow(one, wholeWork))
  const scores = ({ row: { title }, runs }: FoundRow, score: string | undefined): RowScores =>
    score === undefined
      ? { title, top1: runs.map(top1Of) }
      : { title: `${title} (${score})`, top1: runs.map(scoreOf(score)) }
  const done = found.filter(({ runs }) => runs.length > 0)
  const lookup = (wanted: string) => {
    const [name, score] = wanted.split('/')
    const row = done.find((one) => one.row.name === name)
    return row && scores(row, score)
  }
  const pictures = done[0]?.runs[0]?.result.top1.of
  return {
    version: 1,
    ...{ name, title, about, whole, rows, claims: judged(claims, lookup) },
    ...facts,
    ...(pictures !== undefined && { pictures }),
  }
}
