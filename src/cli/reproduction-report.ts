import { columnsOf, failuresOf, legendOf, verdictsOf } from '../experiments/report.js'
import type { ReproducedTable } from '../experiments/table.js'
import { textTable } from './table.js'

/** A table of trained models for people. */
export function reproductionText(table: ReproducedTable): string {
  const columns = columnsOf(table)
  const text = textTable(
    columns,
    table.rows.map((row) => columns.map(({ cell }) => cell(row, table))),
  )
  const parts = [[text], legendOf(table), verdictsOf(table), failuresOf(table)]
  return parts.flatMap((lines) => (lines.length > 0 ? [lines.join('\n')] : [])).join('\n\n')
}
