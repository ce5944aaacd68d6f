import { readFile } from 'node:fs/promises'
import Papa from 'papaparse'
import { BlvitError, messageOf } from '../base/blvit-error.js'

/** A row of a table, by column. */
export interface CsvRow {
  /** Where it stands, for messages: `"photos/labels.csv, line 3"`. */
  readonly where: string
  /** @returns undefined where the row ends before this column */
  cell(column: string): string | undefined
}

export interface CsvTable {
  /** Lower-case names of the columns. */
  readonly columns: readonly string[]
  readonly rows: readonly CsvRow[]
}

// A list of all of ImageNet-22k's 14 million pictures is 0.5 GB; the whole table is held in memory.
const maxFileBytes = 1_000_000_000

/**
 * Reads a comma-separated file with a line of headings; semicolons and tabs are recognised too.
 * @throws BlvitError `BAD_DATA`, `NOT_FOUND`
 */
export async function readCsv(path: string): Promise<CsvTable> {
  const { data: cells, errors } = Papa.parse<string[]>(await readText(path), { skipEmptyLines: false })
  const quotes = errors.find(({ type }) => type === 'Quotes')
  if (quotes) {
    throw new BlvitError('BAD_DATA', `${path}, line ${(quotes.row ?? 0) + 1}: ${quotes.message}.`, { path })
  }
  const [headings = [], ...lines] = cells
  const columns = headings.map((heading) => heading.trim().toLowerCase())
  const rows = lines.flatMap((line, index): CsvRow[] => {
    if (line.every((cell) => cell.trim() === '')) return []
    const cell = (column: string) => line[columns.indexOf(column)]?.trim()
    return [{ where: `${path}, line ${index + 2}`, cell }]
  })
  return { columns, rows }
}

async function readText(path: string): Promise<string> {
  try {
    const bytes = await readFile(path)
    if (bytes.length <= maxFileBytes && !bytes.includes(0)) return bytes.toString('utf8')
  } catch (cause) {
    throw new BlvitError('NOT_FOUND', `${path} can't be read: ${messageOf(cause)}.`, { path }, { cause })
  }
  throw new BlvitError('BAD_DATA', `${path} is no text, or has more than ${maxFileBytes} bytes.`, { path })
}

/** The text of a comma-separated file, with a line of headings. */
export function csvText(
  columns: readonly string[],
  rows: readonly (readonly (string | number | undefined)[])[],
): string {
  return `${Papa.unparse({ fields: [...columns], data: rows.map((row) => [...row]) }, { newline: '\n' })}\n`
}
