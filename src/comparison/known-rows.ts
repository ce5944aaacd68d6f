import { BlvitError } from '../base/blvit-error.js'
import type { MeanSizes } from '../tasks/node/mean-sizes.js'
import type { RowAnswers } from './answers.js'
import type { CompareOptions } from './compare-options.js'
import type { RowOutcome } from './comparison-state.js'
import type { PlannedRow } from './plan-rows.js'
import type { RowTimes } from './times.js'

/** What is known of rows, by their keys. */
export interface Known {
  readonly answers: Map<string, RowAnswers>
  readonly times: Map<string, RowTimes>
  readonly counted: Map<string, MeanSizes>
  readonly errors: Map<PlannedRow, BlvitError>
}

export function knownFrom(outcomes: readonly RowOutcome[]): Known {
  const known: Known = { answers: new Map(), times: new Map(), counted: new Map(), errors: new Map() }
  for (const outcome of outcomes) add(outcome, known)
  return known
}

export function add({ row, answers, times, counted }: RowOutcome, known: Known): void {
  if (answers) known.answers.set(row, answers)
  if (times) known.times.set(row, times)
  if (counted) known.counted.set(row, counted)
}

/** @throws what is no failure of a row: a bug, or an abort */
export function fail(row: PlannedRow, thrown: unknown, { errors }: Known, { onRow }: CompareOptions): void {
  if (!(thrown instanceof BlvitError) || thrown.code === 'ABORTED') throw thrown
  errors.set(row, thrown)
  onRow?.(row, thrown)
}

/** Rows under way: what is known of them, how more of it is kept, and what was asked. */
export interface Work {
  readonly known: Known
  readonly keep: (outcome: RowOutcome) => Promise<void>
  readonly options: CompareOptions
}
