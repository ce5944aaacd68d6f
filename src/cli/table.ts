import CliTable from 'cli-table3'
import { visible } from '../base/visible-text.js'

/** A column of a table on the terminal. */
export interface Column {
  readonly heading: string
  /** Default: right, as numbers stand. */
  readonly align?: 'left' | 'right'
}

/** Nothing but two spaces between columns: a table that `awk` reads too. */
const noLines = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
}

/** Rows under their headings, aligned. A missing cell is empty. */
export function textTable(
  columns: readonly Column[],
  rows: readonly (readonly (string | undefined)[])[],
): string {
  const table = new CliTable({
    chars: noLines,
    colAligns: columns.map(({ align = 'right' }) => align),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  })
  const headings = columns.map(({ heading }) => heading)
  for (const cells of headings.some(Boolean) ? [headings, ...rows] : rows) {
    table.push(cells.map((cell) => visible(cell ?? '')))
  }
  return table.toString().replace(/ +$/gm, '')
}
