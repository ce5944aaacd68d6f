import type { CsvRow, CsvTable } from '../csv-table.js'

/** What the column of labels may be called; the first that is there counts. */
export const labelColumns = [
  ...['label', 'class', 'index', 'target', 'wnid', 'label_name', 'class_name'],
  ...['labels', 'classes', 'tags'],
]

/** These say by their name that a picture may have several. */
const pluralColumns = ['labels', 'classes', 'tags']

/** What may stand between several labels in one cell. A comma is part of many labels (`hen, biddy`). */
const separators = ['|', ';']

/** How the labels of a row are written. */
export interface LabelCells {
  /** The last column of labels. */
  readonly column: string
  /** For people; undefined: each picture has one. */
  readonly several?: string | undefined
  /** @returns undefined where the row ends before its labels */
  textsOf(row: CsvRow): readonly string[] | undefined
}

/** One column of labels. Several stand in a cell where its heading is a plural or one of its cells has a separator. */
export function labelCells({ rows }: CsvTable, column: string): LabelCells {
  const separator = separators.find((text) => rows.some((row) => row.cell(column)?.includes(text)))
  const isPlural = pluralColumns.includes(column)
  if (!isPlural && separator === undefined) {
    return {
      column,
      textsOf: (row) => {
        const text = row.cell(column)
        return text === undefined ? undefined : [text]
      },
    }
  }
  const between = separator === undefined ? '' : `, with ${separator} between them`
  return {
    column,
    several: `several labels a picture${between}; an empty cell: none of the classes; -1: not labelled`,
    textsOf: (row) => {
      const cell = row.cell(column)
      const parts = separator === undefined ? [cell] : cell?.split(separator)
      return parts?.flatMap((text) => text?.trim() || [])
    },
  }
}

/** A column for each class with 1 where a picture shows it and 0 where it doesn't. Undefined if it is no such table. */
export function oneHotCells(
  { columns, headings, rows }: CsvTable,
  fileColumn: string,
): (LabelCells & { readonly classes: readonly string[] }) | undefined {
  const named = columns.map((column, index) => ({ column, label: headings[index] ?? column }))
  const classes = named.filter(({ column }) => column !== fileColumn && column !== '')
  if (classes.length === 0 || classes.some(({ column }) => labelColumns.includes(column))) return undefined
  const isBit = (text: string | undefined) => text === '0' || text === '1'
  if (!rows.every((row) => classes.every(({ column }) => isBit(row.cell(column))))) return undefined
  return {
    column: columns.at(-1) ?? '',
    several: 'several labels a picture: a column for each class, 1 where the picture shows it',
    classes: classes.map(({ label }) => label),
    textsOf: (row) => classes.flatMap(({ column, label }) => (row.cell(column) === '1' ? [label] : [])),
  }
}
