import { readFile } from 'node:fs/promises'
import Papa from 'papaparse'
import { BlvitError, fileReason } from '../base/blvit-error.js'

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
  /** The same as they are written. */
  readonly headings: readonly string[]
  readonly rows: readonly CsvRow[]
}

// A list of all of ImageNet-22k's 14 million pictures is 0.5 GB; the whole table is held in memory.
const maxFileBytes = 1_000_000_000

/** What stands between two cells, in order of preference. */
const delimiters = [',', ';', '\t', '|']

/**
 * Reads a table in text with a line of headings. What stands between its cells (a comma, a semicolon, a tab, a bar) is
 * decided by the headings: whatever gives the most of the names that are looked for; Excel's line `sep=;` before them
 * counts more.
 * @param known names of columns, in lower case
 * @throws BlvitError `BAD_DATA`, `NOT_FOUND`
 */
export async function readCsv(path: string, known: readonly string[]): Promise<CsvTable> {
  const text = await readText(path)
  const [excelLine = '', declared] = /^sep=(.)\r?\n/i.exec(text) ?? []
  const table = text.slice(excelLine.length)
  const { data: cells, errors } = Papa.parse<string[]>(table, {
    delimiter: declared ?? delimiterOf(table, known),
    skipEmptyLines: false,
  })
  let line = excelLine === '' ? 1 : 2
  const numbered = cells.map((row) => {
    const numberedRow = { cells: row, line }
    // a quoted cell may hold line breaks
    line += 1 + row.reduce((sum, cell) => sum + lineBreaksIn(cell), 0)
    return numberedRow
  })
  const quotes = errors.find(({ type }) => type === 'Quotes')
  if (quotes) {
    const at = numbered[quotes.row ?? 0]?.line ?? 1
    throw new BlvitError('BAD_DATA', `${path}, line ${at}: ${quotes.message}.`, { path })
  }
  const [first, ...rows] = numbered.filter((row) => row.cells.some((cell) => cell.trim() !== ''))
  const headings = (first?.cells ?? []).map((heading) => heading.trim())
  const columns = headings.map((heading) => heading.toLowerCase())
  return {
    columns,
    headings,
    rows: rows.map((row) => ({
      where: `${path}, line ${row.line}`,
      cell: (column) => row.cells[columns.indexOf(column)]?.trim(),
    })),
  }
}

/** The delimiter by which the first line that isn't empty has most of the known names, and of equals most cells. */
function delimiterOf(table: string, known: readonly string[]): string {
  const start = table.search(/\S/)
  const first = start < 0 ? '' : table.slice(start)
  const scores = delimiters.map((delimiter) => {
    const [headings = []] = Papa.parse<string[]>(first, { delimiter, preview: 1 }).data
    const found = headings.filter((heading) => known.includes(heading.trim().toLowerCase())).length
    return { delimiter, found, cells: headings.length }
  })
  const [best] = scores.sort((a, b) => b.found - a.found || b.cells - a.cells)
  return best?.delimiter ?? ','
}

function lineBreaksIn(cell: string): number {
  return cell.match(/\r\n|\r|\n/g)?.length ?? 0
}

async function readText(path: string): Promise<string> {
  let bytes: Buffer
  try {
    bytes = await readFile(path)
  } catch (cause) {
    throw new BlvitError('NOT_FOUND', `${path} can't be read: ${fileReason(cause)}.`, { path }, { cause })
  }
  if (bytes.length > maxFileBytes) {
    throw new BlvitError('BAD_DATA', `${path} has ${bytes.length} bytes; the limit is ${maxFileBytes}.`, {
      path,
    })
  }
  const encoding = encodingOf(bytes)
  if (bytes.includes(0) && encoding === 'utf-8')
    throw new BlvitError('BAD_DATA', `${path} is no text.`, { path })
  try {
    // takes a byte order mark away
    return new TextDecoder(encoding, { fatal: true }).decode(bytes)
  } catch (cause) {
    throw new BlvitError(
      'BAD_DATA',
      `${path} is no text in UTF-8, so its names can't be told for sure; save it as "CSV UTF-8".`,
      { path },
      { cause },
    )
  }
}

/** Excel's "Unicode text" is UTF-16 and says so with its first two bytes. */
function encodingOf(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  return bytes[0] === 0xfe && bytes[1] === 0xff ? 'utf-16be' : 'utf-8'
}

/** The text of a comma-separated file, with a line of headings. */
export function csvText(
  columns: readonly string[],
  rows: readonly (readonly (string | number | undefined)[])[],
): string {
  return `${Papa.unparse({ fields: [...columns], data: rows.map((row) => [...row]) }, { newline: '\n' })}\n`
}
