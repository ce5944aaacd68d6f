import { quantile } from 'd3-array'

/** The spread of repeated measurements; NaN where there are none. */
export interface Spread {
  readonly p10: number
  readonly median: number
  readonly p90: number
}

export function spreadOf(values: readonly number[]): Spread {
  const at = (share: number) => quantile(values, share) ?? Number.NaN
  return { p10: at(0.1), median: at(0.5), p90: at(0.9) }
}

export function median(values: readonly number[]): number {
  return spreadOf(values).median
}
