import { stat } from 'node:fs/promises'
import { dirname, extname, isAbsolute, join, posix, win32 } from 'node:path'
import { BlvitError } from '../../base/blvit-error.js'
import { type CsvRow, type CsvTable, readCsv } from '../csv-table.js'
import type { BadSample, Classes, DataFormat, DataSet } from '../data-set.js'
import { type FileSample, fileSamples } from '../file-samples.js'

const listName = 'labels.csv'

/** What the two columns may be called; the first that is there counts. */
const fileColumns = ['file', 'filename', 'file_name', 'path', 'image', 'name']
const labelColumns = ['label', 'class', 'index', 'target', 'wnid', 'label_name', 'class_name']

/** A folder of pictures with a labels.csv: a column of files, relative to the csv, and one of labels. */
export const labelsCsv: DataFormat = {
  name: 'labels.csv',
  looks: `a folder with ${listName} (columns file,label)`,
  recognises: async (path) => (await listOf(path)) !== undefined,
  open: openLabelsCsv,
}

async function listOf(path: string): Promise<string | undefined> {
  const list = extname(path).toLowerCase() === '.csv' ? path : join(path, listName)
  return (await stat(list).catch(() => undefined))?.isFile() ? list : undefined
}

async function openLabelsCsv(path: string, classes: Classes): Promise<DataSet> {
  const list = (await listOf(path)) ?? path
  const table = await readCsv(list)
  const columns = { file: columnOf(table, fileColumns, list), label: columnOf(table, labelColumns, list) }
  if (table.rows.length === 0) throw new BlvitError('BAD_DATA', `${list} lists no pictures.`, { path: list })
  const firstLine = new Map<string, string>()
  const items = table.rows.map((row): FileSample | BadSample => {
    const file = row.cell(columns.file) ?? ''
    try {
      const name = nameInside(file, row)
      const earlier = firstLine.get(name)
      if (earlier !== undefined) {
        throw new BlvitError('BAD_DATA', `${row.where}: ${name} is listed already (${earlier}).`, {
          file: name,
        })
      }
      firstLine.set(name, row.where.slice(row.where.lastIndexOf('line')))
      return { name, source: join(dirname(list), name), label: labelOf(row, columns.label, classes) }
    } catch (thrown) {
      if (!(thrown instanceof BlvitError)) throw thrown
      return { name: file || row.where, error: thrown }
    }
  })
  return fileSamples(path, items)
}

function columnOf({ columns }: CsvTable, wanted: readonly string[], list: string): string {
  const column = wanted.find((name) => columns.includes(name))
  if (column !== undefined) return column
  throw new BlvitError(
    'BAD_DATA',
    `${list} has no column ${wanted[0]} (or ${wanted.slice(1).join(', ')}): its first line is ` +
      `"${columns.join(',').slice(0, 120)}". It needs one of files and one of labels, e.g. file,label.`,
    { columns },
  )
}

/** A list may name what lies beside and below it, nothing else. */
function nameInside(file: string, { where }: CsvRow): string {
  if (file === '') throw new BlvitError('BAD_DATA', `${where} names no file.`)
  const name = posix.normalize(file)
  if (isAbsolute(name) || win32.isAbsolute(name) || name.split(/[/\\]/).includes('..')) {
    throw new BlvitError(
      'BAD_DATA',
      `${where}: ${file} leads out of the folder of the list, so it isn't read.`,
      {
        file,
      },
    )
  }
  return name
}

function labelOf(row: CsvRow, column: string, classes: Classes): number | undefined {
  const text = row.cell(column)
  if (text === undefined) {
    throw new BlvitError('BAD_DATA', `${row.where} ends before the column ${column}.`, { column })
  }
  return classes.find(text, row.where)
}
