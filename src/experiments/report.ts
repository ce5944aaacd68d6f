import { join } from 'node:path'
import { type MarkdownColumn, markdownTable } from '../base/markdown.js'
import { checkWritable, writeWholeFile } from '../files/output-files.js'
import type { ReproducedTable, TableRow } from './table.js'

/** A column of the table for people. */
export interface TableColumn extends MarkdownColumn {
  cell(row: TableRow, table: ReproducedTable): string
}

const nothing = '–'
const left = { align: 'left' } as const
const right = { align: 'right' } as const

function signed(points: number): string {
  return `${points < 0 ? '−' : '+'}${Math.abs(points).toFixed(1)}`
}

function percent(share: number | undefined): string {
  return share === undefined ? nothing : (100 * share).toFixed(1)
}

function accuracy(score: TableRow['top1']): string {
  if (!score) return nothing
  const { mean, deviation } = score
  return deviation === undefined ? percent(mean) : `${percent(mean)} ± ${percent(deviation)}`
}

/** The ways in which the models of a table are measured, where there are several. */
function scoreNames({ rows }: ReproducedTable): readonly string[] {
  return [...new Set(rows.flatMap(({ scores }) => Object.keys(scores ?? {})))]
}

function wholeOf({ rows, whole }: ReproducedTable): TableRow | undefined {
  return rows.find(({ name }) => name === whole)
}

function points(row: TableRow, table: ReproducedTable): string {
  const whole = wholeOf(table)
  if (!row.top1 || !whole?.top1 || row === whole) return nothing
  return signed(100 * (row.top1.mean - whole.top1.mean))
}

function speedUp(row: TableRow, table: ReproducedTable, of: 'latency' | 'many'): string {
  const [own, whole] = [row.times, wholeOf(table)?.times]
  if (!own || !whole) return nothing
  const ratio =
    of === 'latency'
      ? whole.latencyMs.median / own.latencyMs.median
      : own.picturesPerSecond / whole.picturesPerSecond
  return `×${ratio.toFixed(2)}`
}

function work({ share, isCounted }: TableRow): string {
  return share === undefined ? nothing : `${isCounted ? '≈ ' : ''}${(100 * share).toFixed(0)}`
}

function paper({ paper: figure }: TableRow): string {
  return figure ? `${signed(figure.points)} at ${(100 * figure.share).toFixed(0)} % (${figure.of})` : nothing
}

const columns: readonly (TableColumn & { readonly of?: 'times' | 'paper' | 'untrained' | 'top1' })[] = [
  { ...left, heading: 'model', cell: ({ title }) => title },
  { ...right, heading: 'work %', cell: work },
  {
    ...right,
    heading: 'T, M',
    cell: ({ multiplyAdds }) => (multiplyAdds ? (multiplyAdds.full / 1e6).toFixed(1) : nothing),
  },
  {
    ...right,
    heading: 'L, M',
    cell: ({ multiplyAdds }) => (multiplyAdds ? (multiplyAdds.linear / 1e6).toFixed(1) : nothing),
  },
  { ...right, of: 'untrained', heading: 'as it is %', cell: ({ untrained }) => percent(untrained) },
  { ...right, of: 'top1', heading: 'top-1 %', cell: ({ top1 }) => accuracy(top1) },
  { ...right, of: 'top1', heading: 'points', cell: points },
  { ...right, of: 'paper', heading: 'its paper', cell: paper },
  {
    ...right,
    of: 'times',
    heading: 'ms',
    cell: ({ times }) => (times ? times.latencyMs.median.toFixed(2) : nothing),
  },
  { ...right, of: 'times', heading: 'faster', cell: (row, table) => speedUp(row, table, 'latency') },
  {
    ...right,
    of: 'times',
    heading: 'pictures/s',
    cell: ({ times }) => (times ? times.picturesPerSecond.toFixed(0) : nothing),
  },
  { ...right, of: 'times', heading: 'faster', cell: (row, table) => speedUp(row, table, 'many') },
]

/** The columns that a table fills. */
export function columnsOf(table: ReproducedTable): readonly TableColumn[] {
  const { rows } = table
  const scores = scoreNames(table).map(
    (name): TableColumn => ({
      ...right,
      heading: `${name} %`,
      cell: ({ scores }) => accuracy(scores?.[name]),
    }),
  )
  const filled = columns.filter(({ of }) => of === undefined || rows.some((row) => row[of] !== undefined))
  if (scores.length === 0) return filled
  const isOfTop1 = ({ of }: (typeof columns)[number]) => of === 'top1' || of === 'untrained'
  return [...filled.filter((column) => !isOfTop1(column)), ...scores]
}

/** What the columns mean. */
export function legendOf(table: ReproducedTable): readonly string[] {
  const { about, images, pictures, whole, machine, rows } = table
  const seeds = Math.max(...rows.map(({ runs }) => runs.length))
  const title = wholeOf(table)?.title ?? whole
  const timed = rows.find(({ times }) => times)?.times
  const mean =
    seeds === 1 ? 'mean of one seed' : `mean of up to ${seeds} seeds ± the sample's standard deviation`
  const objects = rows.find(({ runs }) => runs.length > 0)?.runs[0]?.result.scores
  return [
    about,
    ...(images === undefined ? [] : [`Here each row learned from ${images} pictures instead.`]),
    objects
      ? `mIoU: ${mean}; objects: ${Object.entries(objects)
          .map(([name, { of }]) => `${of} (${name})`)
          .join(', ')}.`
      : `top-1: ${mean}, on ${pictures ?? 'no'} test pictures; points: what it has more than "${title}"; as it is: before the training, of models that need none.`,
    `work: multiply-adds of one picture in percent of "${title}", attention products included (T; L: without them); ≈ where pictures decide, mean of the first test pictures.`,
    "Claims are judged by Welch's t of the seeds: what chance makes of equal rows 19 times of 20 stands behind ±.",
    ...(timed === undefined
      ? []
      : [
          `ms: median of one picture on one engine; pictures/s: ${timed.many.lanes} engines beside each other. ${machine.cpu}, ${machine.cores} cores, ${machine.date.slice(0, 10)}.`,
        ]),
  ]
}

/** What became of each claim, a sentence each. */
export function verdictsOf({ claims }: ReproducedTable): readonly string[] {
  return claims.map(({ source, claim, verdict, because }) => `${source}: ${claim}: ${verdict} (${because}).`)
}

/** Rows that lack runs, with the reason. */
export function failuresOf({ rows }: ReproducedTable): readonly string[] {
  return rows.flatMap(({ title, error }) => (error === undefined ? [] : [`${title}: ${error}`]))
}

/** The table as Markdown, with what its columns mean, what became of the claims and what failed. */
export function tableMarkdown(table: ReproducedTable): string {
  const shown = columnsOf(table)
  const failures = failuresOf(table)
  const verdicts = verdictsOf(table)
  return [
    `# ${table.title}`,
    '',
    ...markdownTable(
      shown,
      table.rows.map((row) => shown.map(({ cell }) => cell(row, table))),
    ),
    '',
    ...legendOf(table).map((text) => `- ${text}`),
    ...(verdicts.length === 0
      ? []
      : ['', 'What is claimed, here:', '', ...verdicts.map((text) => `- ${text}`)]),
    ...(failures.length === 0 ? [] : ['', 'Failed:', '', ...failures.map((text) => `- ${text}`)]),
    '',
  ].join('\n')
}

/**
 * Writes a table as Markdown and JSON, whole or not at all.
 * @returns the names of the files
 * @throws BlvitError `WRITE_FAILED`
 */
export async function writeTable(table: ReproducedTable, folder: string): Promise<readonly string[]> {
  const files = {
    [`${table.name}.md`]: tableMarkdown(table),
    [`${table.name}.json`]: `${JSON.stringify(table, null, 2)}\n`,
  }
  for (const [name, content] of Object.entries(files)) {
    await checkWritable(join(folder, name))
    await writeWholeFile(join(folder, name), content)
  }
  return Object.keys(files)
}
