import { stat } from 'node:fs/promises'
import { dirname, isAbsolute, join, posix, win32 } from 'node:path'
import { BlvitError } from '../../base/blvit-error.js'
import { type CsvRow, type CsvTable, readCsv } from '../csv-table.js'
import type { BadSample, DataFormat, FoundData } from '../data-set.js'
import { type FileSample, fileSamples } from '../file-samples.js'
import type { LabelReader, WrittenLabel } from '../label-reader.js'
import { type LabelCells, labelCells, labelColumns, oneHotCells } from './label-cells.js'

const listNames = ['labels.csv', 'labels.tsv']

/** What the column of files may be called; the first that is there counts. */
const fileColumns = ['file', 'filename', 'file_name', 'path', 'filepath', 'file_path', 'image', 'name']

/** A folder of pictures with a labels.csv: a column of files, relative to the csv, and one of labels. */
export const labelsCsv: DataFormat = {
  name: 'labels.csv',
  looks: `a folder with ${listNames[0]} (columns file,label)`,
  recognises: async (path) => (await listOf(path)) !== undefined,
  find: findLabelsCsv,
}

async function listOf(path: string): Promise<string | undefined> {
  const lists = /\.[ct]sv$/i.test(path) ? [path] : listNames.map((name) => join(path, name))
  for (const list of lists) if ((await stat(list).catch(() => undefined))?.isFile()) return list
  return undefined
}

async function findLabelsCsv(path: string): Promise<FoundData> {
  const list = (await listOf(path)) ?? path
  const table = await readCsv(list, [...fileColumns, ...labelColumns])
  const fileColumn = columnOf(table, fileColumns, list)
  if (table.rows.length === 0) throw new BlvitError('BAD_DATA', `${list} lists no pictures.`, { path: list })
  const oneHot = oneHotCells(table, fileColumn)
  const cells = oneHot ?? labelCells(table, columnOf(table, labelColumns, list))
  const labels = table.rows.flatMap((row): WrittenLabel[] =>
    (cells.textsOf(row) ?? []).map((text) => ({ text, where: row.where })),
  )
  return {
    labels,
    ...(oneHot && { classes: oneHot.classes }),
    several: cells.several,
    withLabels: (reader) => {
      const nameOf = namesOf(fileColumn)
      const items = table.rows.map((row): FileSample | BadSample => {
        try {
          const name = nameOf(row)
          return { name, source: join(dirname(list), name), ...(reader && labelsOf(row, cells, reader)) }
        } catch (thrown) {
          if (!(thrown instanceof BlvitError)) throw thrown
          return { name: row.cell(fileColumn) || row.where, error: thrown }
        }
      })
      return fileSamples(path, items, { labelRule: cells.several ?? reader?.rule })
    },
  }
}

/** What a row says of its picture. @throws BlvitError `BAD_DATA` */
function labelsOf(
  row: CsvRow,
  { column, textsOf, several }: LabelCells,
  reader: LabelReader,
): Pick<FileSample, 'label' | 'labels'> {
  const { where } = row
  const texts = textsOf(row)
  if (!texts) throw new BlvitError('BAD_DATA', `${where} ends before the column ${column}.`)
  const classes = texts.map((text) => reader.classOf({ text, where }))
  if (classes.length > 0 && classes.every((number) => number === undefined)) return {}
  const numbers = [...new Set(classes.flatMap((number) => number ?? []))]
  if (reader.several) return { labels: numbers }
  if (numbers.length === 1 || several === undefined) return { label: numbers[0] }
  throw new BlvitError(
    'BAD_DATA',
    `${where}: the picture has ${numbers.length} labels (${texts.join(', ') || 'none'}), but each must have one here.`,
    { labels: texts },
  )
}

/** The files of rows that come one after the other; each may be listed once. */
function namesOf(column: string): (row: CsvRow) => string {
  const firstLine = new Map<string, string>()
  return (row) => {
    const name = nameInside(row.cell(column) ?? '', row)
    const key = name.normalize('NFC')
    const earlier = firstLine.get(key)
    if (earlier !== undefined) {
      const message = `${row.where}: ${name} is listed already (${earlier}).`
      throw new BlvitError('BAD_DATA', message, { file: name })
    }
    firstLine.set(key, row.where.slice(row.where.lastIndexOf('line')))
    return name
  }
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
