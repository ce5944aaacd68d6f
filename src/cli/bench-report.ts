import Papa from 'papaparse'
import type { FoundKeepRatio } from '../tasks/bench/find-keep-ratio.js'
import type { Profile } from '../tasks/bench/profile.js'
import type { BenchReport, BenchResult } from '../tasks/bench/report.js'
import { bytes, grouped, percent } from './quantities.js'
import { textTable } from './table.js'

const times = (factor: number | undefined) => (factor === undefined ? undefined : `×${factor.toFixed(2)}`)
const ms = (value: number) => grouped(value, { decimals: value < 100 ? 1 : 0 })

/** One column of the table and of the CSV file. */
interface Column {
  readonly heading: string
  readonly align?: 'left'
  readonly cell: (result: BenchResult) => string | undefined
  /** In the CSV: the number itself, under a name without spaces. */
  readonly name: string
  readonly value: (result: BenchResult) => string | number | undefined
}

function column(
  name: string,
  heading: string,
  value: Column['value'],
  cell: Column['cell'] = (result) => value(result)?.toString(),
): Column {
  return { name, heading, value, cell }
}

const columns: readonly Column[] = [
  { ...column('model', 'model', ({ name }) => name), align: 'left' },
  column('device', 'device', ({ device }) => device),
  column('threads', 'threads', ({ threads }) => threads),
  column('batch', 'batch', ({ batch }) => batch),
  column('keep_ratio', 'keep ratio', ({ keepRatio }) => keepRatio),
  ...(['p10', 'median', 'p90'] as const).map((which) =>
    column(
      `${which}_ms`,
      which === 'p10' ? 'ms: p10' : which,
      ({ latencyMs }) => latencyMs[which],
      ({ latencyMs }) => ms(latencyMs[which]),
    ),
  ),
  column(
    'images_per_second',
    'images/s',
    ({ imagesPerSecond }) => imagesPerSecond,
    ({ imagesPerSecond }) => grouped(imagesPerSecond, { decimals: 1 }),
  ),
  column(
    'gflops',
    'GFLOP/s',
    ({ gflops }) => gflops,
    ({ gflops }) => gflops.toFixed(0),
  ),
  column(
    'share_of_gemm_rate',
    'of GEMM',
    ({ shareOfGemmRate }) => shareOfGemmRate,
    ({ shareOfGemmRate }) => percent(shareOfGemmRate),
  ),
  column(
    'speedup',
    'speed-up',
    ({ against }) => against?.measuredSpeedup,
    ({ against }) => times(against?.measuredSpeedup),
  ),
  column(
    'theory',
    'theory',
    ({ against }) => against?.multiplyAddSpeedup,
    ({ against }) => times(against?.multiplyAddSpeedup),
  ),
  column(
    'efficiency',
    'η',
    ({ against }) => against?.efficiency,
    ({ against }) => against?.efficiency.toFixed(2),
  ),
  column('baseline', 'against', ({ against }) => against?.baseline),
]

/** Columns that would be the same word all the way down are left out of the table. */
function tellsSomething({ name, value }: Column, results: readonly BenchResult[]): boolean {
  if (name === 'device' || name === 'threads') return new Set(results.map(value)).size > 1
  return results.some((result) => value(result) !== undefined)
}

/** The table, and below it what it was measured on. */
export function benchText({ machine, engines, gemm, results }: BenchReport): string {
  const shown = columns.filter((candidate) => tellsSomething(candidate, results))
  const table = textTable(
    shown,
    results.map((result) => shown.map(({ cell }) => cell(result))),
  )
  const rates = gemm.map(({ device, threads, gflops }) => {
    const where = [device, ...(threads === undefined ? [] : [`${threads} threads`])].join(', ')
    return `${gflops.toFixed(0)} GFLOP/s (${where})`
  })
  const disturbed = results.reduce((sum, { disturbedRuns }) => sum + disturbedRuns, 0)
  const runs = results.reduce((sum, result) => sum + result.runs, 0)
  return [
    table,
    '',
    `matrix products alone: ${rates.join('; ')}`,
    `${machine.cpu}, ${machine.cores} cores, ${bytes(machine.memoryBytes)}; load before: ${machine.loadBefore.toFixed(2)}`,
    `${engines.join(', ')}; Node ${machine.node}; blvit ${machine.blvit}${machine.commit ? ` (${machine.commit})` : ''}; ${machine.date}`,
    `${runs} runs, ${disturbed} disturbed by other work on the machine`,
  ].join('\n')
}

/** The same numbers in full precision. */
export function benchCsv({ results }: BenchReport): string {
  const lines = results.map((result) => columns.map(({ value }) => value(result)))
  return `${Papa.unparse({ fields: columns.map(({ name }) => name), data: lines }, { newline: '\n' })}\n`
}

/** Rows below this share of the time are summed up in one. */
const smallShare = 0.005

/** Where a model's time goes. */
export function profileText({ name, batch, keepRatio, ...profile }: Profile): string {
  const large = profile.rows.filter(({ share }) => share >= smallShare)
  const small = profile.rows.filter(({ share }) => share < smallShare)
  const rest = {
    ms: small.reduce((sum, row) => sum + row.ms, 0),
    share: small.reduce((sum, row) => sum + row.share, 0),
    nodes: small.reduce((sum, row) => sum + row.nodes, 0),
  }
  const rows = [
    ...large.map(({ scope, operator, ms: time, share, nodes, gflops }) => [
      scope,
      operator,
      `${nodes}`,
      time.toFixed(2),
      percent(share),
      gflops?.toFixed(0),
    ]),
    ['(the rest)', '', `${rest.nodes}`, rest.ms.toFixed(2), percent(rest.share)],
  ]
  const where = [`batch ${batch}`, ...(keepRatio === undefined ? [] : [`keep ratio ${keepRatio}`])].join(', ')
  return [
    `${name}, ${where}: ${profile.wallMs.toFixed(2)} ms a run; ${profile.operatorsMs.toFixed(2)} ms in operators while profiled`,
    '',
    textTable(
      [
        { heading: 'scope', align: 'left' },
        { heading: 'operator', align: 'left' },
        { heading: 'nodes' },
        { heading: 'ms' },
        { heading: 'share' },
        { heading: 'GFLOP/s' },
      ],
      rows,
    ),
    '',
    textTable(
      [
        { heading: 'linear maps alone' },
        { heading: 'count' },
        { heading: 'ms each' },
        { heading: 'GFLOP/s' },
      ],
      profile.products.map(({ rows: tokens, inner, columns: out, count, aloneMs, aloneGflops }) => [
        `${tokens} × ${inner} → ${out}`,
        `${count}`,
        aloneMs.toFixed(3),
        aloneGflops.toFixed(0),
      ]),
    ),
    '',
    `all linear maps: ${profile.linearMs.inModel.toFixed(2)} ms in the model, ${profile.linearMs.alone.toFixed(2)} ms if each were as fast as alone`,
  ].join('\n')
}

/** A keep ratio that was looked for. */
export function foundText({ name, keepRatio, kept, latencyMs, baseline }: FoundKeepRatio): string {
  const speedup = (baseline.latencyMs / latencyMs).toFixed(2)
  return (
    `${name}: keep ratio ${keepRatio} (${kept} patches): ${latencyMs.toFixed(1)} ms, ` +
    `${speedup} times as fast as ${baseline.name} (${baseline.latencyMs.toFixed(1)} ms)`
  )
}
