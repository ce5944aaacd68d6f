import type { Comparison } from '../comparison/compare.js'
import { columnsOf, legendOf } from '../comparison/tables.js'
import { textTable } from './table.js'

/** A comparison for people. */
export function comparisonText(comparison: Comparison): string {
  const columns = columnsOf(comparison)
  const table = textTable(
    columns,
    comparison.rows.map((row) => columns.map(({ cell }) => cell(row))),
  )
  return [table, legendOf(comparison).join('\n')].join('\n\n')
}
