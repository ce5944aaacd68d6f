import { type MarkdownColumn, markdownTable } from '../base/markdown.js'
import type { Share } from '../base/share.js'
import { csvText } from '../data/csv-table.js'
import type { MultiplyAdds } from '../tasks/analyze/shares.js'
import type { Comparison } from './compare.js'
import type { ComparedRow, RowCost } from './compared-rows.js'

/** A column of the table for people. */
export interface ComparisonColumn extends MarkdownColumn {
  cell(row: ComparedRow): string
}

const nothing = '–'

function fixed(value: number | undefined, digits: number): string {
  return value === undefined || !Number.isFinite(value) ? nothing : value.toFixed(digits)
}

function percentOf(share: Share | undefined): string {
  return share && share.of > 0 ? (100 * share.share).toFixed(1) : nothing
}

function intervalOf(share: Share | undefined): string {
  return share && share.of > 0 ? `${(100 * share.low).toFixed(1)}–${(100 * share.high).toFixed(1)}` : nothing
}

/** `197`, or `197 → 72` where some don't come through. */
function tokensOf({ cost }: ComparedRow): string {
  const [first, last] = [cost?.tokens[0], cost?.tokens.at(-1)]
  if (first === undefined || last === undefined) return nothing
  return first === last ? `${Math.round(first)}` : `${Math.round(first)} → ${Math.round(last)}`
}

/** In G; where pictures decide, `≈` of their mean or `≤` of the most that it can be. */
function workOf(cost: RowCost | undefined, convention: keyof MultiplyAdds): string {
  const about = cost?.counted === undefined ? '' : cost.counted.pictures > 0 ? '≈ ' : '≤ '
  return `${about}${fixed(cost && cost.multiplyAdds[convention] / 1e9, 3)}`
}

/** `time, many, work`: the fronts on which a row lies. */
function frontsOf({ fronts }: ComparedRow): string {
  return [
    ...(fronts.latency ? ['time'] : []),
    ...(fronts.picturesPerSecond ? ['many'] : []),
    ...(fronts.multiplyAdds ? ['work'] : []),
  ].join(' ')
}

const left = { align: 'left' } as const
const right = { align: 'right' } as const

const columns: readonly (ComparisonColumn & { readonly of?: 'answers' | 'times' })[] = [
  { ...left, heading: 'model', cell: ({ model }) => model },
  { ...left, heading: 'setting', cell: ({ setting }) => setting },
  { ...right, of: 'answers', heading: 'top-1 %', cell: ({ answers }) => percentOf(answers?.top1) },
  { ...right, of: 'answers', heading: '95 %', cell: ({ answers }) => intervalOf(answers?.top1) },
  { ...right, of: 'answers', heading: 'same %', cell: ({ agreement }) => percentOf(agreement) },
  { ...right, heading: 'params M', cell: ({ cost }) => fixed(cost && cost.parameters / 1e6, 2) },
  { ...right, heading: 'L, G', cell: ({ cost }) => workOf(cost, 'linear') },
  { ...right, heading: 'T, G', cell: ({ cost }) => workOf(cost, 'full') },
  { ...right, heading: 'tokens', cell: tokensOf },
  { ...right, of: 'times', heading: 'ms', cell: ({ times }) => fixed(times?.latencyMs.median, 2) },
  { ...right, of: 'times', heading: 'pictures/s', cell: ({ times }) => fixed(times?.picturesPerSecond, 1) },
  {
    ...right,
    of: 'times',
    heading: 'MB',
    cell: ({ times }) => fixed(times && times.peakMemoryBytes / 1e6, 0),
  },
  { ...left, of: 'answers', heading: 'front', cell: frontsOf },
]

/** The columns that a comparison fills: without data no accuracies, without rounds no times. */
export function columnsOf({ rows }: Pick<Comparison, 'rows'>): readonly ComparisonColumn[] {
  return columns.filter(({ of }) => of === undefined || rows.some((row) => row[of] !== undefined))
}

/** What the columns mean. */
export function legendOf(
  comparison: Pick<Comparison, 'rows' | 'data' | 'pictures' | 'machine'>,
): readonly string[] {
  const { rows, data, pictures, machine } = comparison
  const timed = rows.flatMap(({ times }) => times ?? [])
  const [first] = timed
  const disturbed = timed.reduce((sum, { disturbedRuns }) => sum + disturbedRuns, 0)
  return [
    ...(pictures === undefined
      ? []
      : [
          `top-1 on ${pictures} pictures of ${data.join(' ')}, with Wilson's 95 % interval; same: first classes that are those of the whole model.`,
        ]),
    'Multiply-adds of one picture: L, linear maps and convolutions; T, L and the attention products. Tokens in the MLPs of the first and the last block; where pictures decide, ≈ stands before means over the first of them, ≤ before the most that it can be.',
    ...(first === undefined
      ? []
      : [
          `ms: median of one picture on one engine; pictures/s: ${first.many.lanes} engines of ${first.many.threads} thread${first.many.threads === 1 ? '' : 's'} beside each other; MB: peak memory of the process of one engine. ${machine.cpu}, ${machine.cores} cores, ${machine.date.slice(0, 10)}${disturbed === 0 ? '' : `; ${disturbed} runs waited for a busy processor and were left out`}.`,
        ]),
    ...(pictures === undefined
      ? []
      : [
          'front: no other row is as accurate for less time of one picture (time), of many (many), or multiply-adds, T (work).',
        ]),
  ]
}

function failuresOf({ rows }: Pick<Comparison, 'rows'>): readonly string[] {
  return rows.flatMap(({ model, setting, error }) =>
    error ? [`${model}, ${setting}: ${error.message}`] : [],
  )
}

/** The table as Markdown, with what its columns mean and what failed. @param options `title`: of the page */
export function comparisonMarkdown(comparison: Comparison, { title }: { readonly title: string }): string {
  const shown = columnsOf(comparison)
  const failures = failuresOf(comparison)
  return [
    `# ${title}`,
    '',
    ...markdownTable(
      shown,
      comparison.rows.map((row) => shown.map(({ cell }) => cell(row))),
    ),
    '',
    ...legendOf(comparison).map((text) => `- ${text}`),
    ...(failures.length === 0 ? [] : ['', 'Failed:', '', ...failures.map((text) => `- ${text}`)]),
    '',
  ].join('\n')
}

const csvColumns: Readonly<Record<string, (row: ComparedRow) => string | number | undefined>> = {
  model: ({ reference }) => reference,
  setting: ({ setting }) => setting,
  control: ({ isControl }) => `${isControl}`,
  pictures: ({ answers }) => answers?.pictures,
  labelled: ({ answers }) => answers?.labelled,
  top1: ({ answers }) => answers?.top1.share,
  top1_low: ({ answers }) => answers?.top1.low,
  top1_high: ({ answers }) => answers?.top1.high,
  top5: ({ answers }) => answers?.top5?.share,
  agreement: ({ agreement }) => agreement?.share,
  agreement_with: ({ agreement }) => agreement?.with,
  parameters: ({ cost }) => cost?.parameters,
  pictures_counted: ({ cost }) => cost?.counted?.pictures,
  multiply_adds_linear: ({ cost }) => cost?.multiplyAdds.linear,
  multiply_adds_thop: ({ cost }) => cost?.multiplyAdds.thop,
  multiply_adds_full: ({ cost }) => cost?.multiplyAdds.full,
  tokens_by_block: ({ cost }) => cost?.tokens.join(' '),
  latency_p10_ms: ({ times }) => times?.latencyMs.p10,
  latency_median_ms: ({ times }) => times?.latencyMs.median,
  latency_p90_ms: ({ times }) => times?.latencyMs.p90,
  pictures_per_second: ({ times }) => times?.picturesPerSecond,
  engines: ({ times }) => times?.many.lanes,
  peak_memory_bytes: ({ times }) => times?.peakMemoryBytes,
  runs: ({ times }) => times?.runs,
  disturbed_runs: ({ times }) => times?.disturbedRuns,
  front_latency: ({ fronts }) => told(fronts.latency),
  front_pictures_per_second: ({ fronts }) => told(fronts.picturesPerSecond),
  front_multiply_adds: ({ fronts }) => told(fronts.multiplyAdds),
  error: ({ error }) => error?.message,
}

function told(isOn: boolean | undefined): string | undefined {
  return isOn === undefined ? undefined : `${isOn}`
}

/** A line for each row, in full precision. */
export function comparisonCsv({ rows }: Pick<Comparison, 'rows'>): string {
  return csvText(
    Object.keys(csvColumns),
    rows.map((row) => Object.values(csvColumns).map((value) => value(row))),
  )
}
