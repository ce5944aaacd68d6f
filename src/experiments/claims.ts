import { deviation, mean } from 'd3-array'

/** What the runs of a row came to. */
export interface RowScores {
  readonly title: string
  /** Top-1 of each seed, 0 … 1. */
  readonly top1: readonly number[]
}

/** The rows of a table by name; undefined for one that wasn't run. */
export type RowLookup = (name: string) => RowScores | undefined

export type Verdict = 'held' | 'did not hold' | "can't be told at this size"

/** A sentence about the rows of a table, and how they judge it. */
export interface Claim {
  /** Who says it, for people. */
  readonly source: string
  /** A sentence without its end. */
  readonly claim: string
  /** The rows that it is about; `row/score` where rows have several scores. */
  readonly rows: readonly string[]
  judge(rows: readonly RowScores[]): Judgement
}

export interface Judgement {
  readonly verdict: Verdict
  /** The numbers that it follows from, for people. */
  readonly because: string
}

/** The 97.5 % quantile of Student's t, by its expansion about the normal one (Abramowitz and Stegun 26.7.5, three terms). */
function studentsReach(freedom: number): number {
  const z = 1.959_963_984_540_054
  return (
    z +
    (z ** 3 + z) / (4 * freedom) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2) +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * freedom ** 3)
  )
}

interface Difference {
  /** Points of top-1. */
  readonly points: number
  /** What chance makes of two equal rows, 19 times of 20. */
  readonly within: number
}

/** How much better one row is than another, by Welch's t: rows spread differently. Each must have two runs. */
function difference(a: RowScores, b: RowScores): Difference {
  const points = 100 * ((mean(a.top1) ?? Number.NaN) - (mean(b.top1) ?? Number.NaN))
  const errors = [a, b].map(({ top1 }) => ({
    square: (deviation(top1) ?? 0) ** 2 / top1.length,
    freedom: top1.length - 1,
  }))
  const square = errors.reduce((sum, one) => sum + one.square, 0)
  if (square === 0) return { points, within: 0 }
  const freedom = square ** 2 / errors.reduce((sum, one) => sum + one.square ** 2 / one.freedom, 0)
  return { points, within: 100 * studentsReach(freedom) * Math.sqrt(square) }
}

function told({ points, within }: Difference): string {
  const sign = points < 0 ? '−' : '+'
  return `${sign}${Math.abs(points).toFixed(1)} ± ${within.toFixed(1)} points`
}

function pairOf(rows: readonly RowScores[]): readonly [RowScores, RowScores] {
  const [a, b] = rows
  if (!a || !b) throw new Error('blvit bug: a claim about two rows was given fewer')
  return [a, b]
}

/** That one row is more accurate than another. */
export function isBetter(source: string, better: string, worse: string, claim: string): Claim {
  return {
    ...{ source, claim, rows: [better, worse] },
    judge: (rows) => {
      const [a, b] = pairOf(rows)
      const found = difference(a, b)
      const isTold = Math.abs(found.points) > found.within
      const verdict = !isTold ? "can't be told at this size" : found.points > 0 ? 'held' : 'did not hold'
      return { verdict, because: `${a.title} against ${b.title}: ${told(found)}` }
    },
  }
}

/** That a row loses no more than some points against another. */
export function losesAtMost(
  source: string,
  row: string,
  whole: string,
  points: number,
  claim: string,
): Claim {
  return {
    ...{ source, claim, rows: [row, whole] },
    judge: (rows) => {
      const [a, b] = pairOf(rows)
      const found = difference(a, b)
      const margin = found.points + points
      const isTold = Math.abs(margin) > found.within
      const verdict = !isTold ? "can't be told at this size" : margin > 0 ? 'held' : 'did not hold'
      return {
        verdict,
        because: `${a.title} against ${b.title}: ${told(found)}, where ${points === 0 ? 'no loss' : `at most −${points}`} is claimed`,
      }
    },
  }
}

/** A claim as it was judged. */
export interface JudgedClaim extends Judgement {
  readonly source: string
  readonly claim: string
}

/** Judges claims by the rows that there are. */
export function judged(claims: readonly Claim[], lookup: RowLookup): readonly JudgedClaim[] {
  return claims.map(({ source, claim, rows: names, judge }) => {
    const rows = names.flatMap((name) => lookup(name) ?? [])
    const untold = (because: string) =>
      ({ source, claim, verdict: "can't be told at this size", because }) as const
    const missing = names.filter((name) => lookup(name) === undefined)
    if (missing.length > 0) return untold(`not run: ${missing.join(', ')}`)
    const once = rows.find(({ top1 }) => top1.length < 2)
    if (once) return untold(`one run of ${once.title} shows no spread`)
    return { source, claim, ...judge(rows) }
  })
}
