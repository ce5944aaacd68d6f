import type { AgainstReport } from '../bench/against.js'
import type { FoundSetting } from '../bench/find-setting.js'
import type { Profile } from '../bench/profile.js'
import type { ProfileRow } from '../bench/profile-rows.js'
import type { BenchReport, BenchResult } from '../bench/report.js'
import { plainKey } from '../settings/setting.js'
import { bytes, grouped, percent } from './quantities.js'
import { type Column, textTable } from './table.js'

const times = (factor: number | undefined) => (factor === undefined ? undefined : `×${factor.toFixed(2)}`)
const ms = (value: number) => grouped(value, { decimals: value < 100 ? 1 : 0 })

interface BenchColumn extends Column {
  readonly cell: (result: BenchResult) => string | undefined
  /** Left out where it says the same all the way down. */
  readonly optional?: boolean
}

const columns: readonly BenchColumn[] = [
  { heading: 'model', align: 'left', cell: ({ name }) => name },
  { heading: 'device', cell: ({ device }) => device, optional: true },
  { heading: 'threads', cell: ({ threads }) => threads?.toString(), optional: true },
  { heading: 'dtype', cell: ({ precision }) => precision, optional: true },
  { heading: 'batch', cell: ({ batch, many }) => (many ? `many: ${many.lanes} × ${batch}` : `${batch}`) },
  { heading: 'setting', cell: ({ setting }) => setting, align: 'left', optional: true },
  { heading: 'ms: p10', cell: ({ latencyMs }) => ms(latencyMs.p10) },
  { heading: 'median', cell: ({ latencyMs }) => ms(latencyMs.median) },
  { heading: 'p90', cell: ({ latencyMs }) => ms(latencyMs.p90) },
  { heading: 'pictures/s', cell: ({ imagesPerSecond }) => grouped(imagesPerSecond, { decimals: 1 }) },
  { heading: 'to batch 1', cell: ({ besideBatch1 }) => times(besideBatch1), optional: true },
  { heading: 'GFLOP/s', cell: ({ gflops }) => gflops.toFixed(0) },
  { heading: 'of GEMM', cell: ({ shareOfGemmRate }) => percent(shareOfGemmRate) },
  { heading: 'speed-up', cell: ({ against }) => times(against?.measuredSpeedup), optional: true },
  { heading: 'theory', cell: ({ against }) => times(against?.multiplyAddSpeedup), optional: true },
  { heading: 'η', cell: ({ against }) => against?.efficiency.toFixed(2), optional: true },
  { heading: 'against', cell: ({ against }) => against?.baseline, optional: true },
]

function tellsSomething({ optional, cell }: BenchColumn, results: readonly BenchResult[]): boolean {
  return !optional || new Set(results.map(cell)).size > 1
}

/** On what something was measured. */
export function machineLine({ cpu, cores, memoryBytes, loadBefore }: BenchReport['machine']): string {
  return `${cpu}, ${cores} cores, ${bytes(memoryBytes)}; load before: ${loadBefore.toFixed(2)}`
}

/** The table, and below it what it was measured on. */
export function benchText({ machine, engines, gemm, results }: BenchReport): string {
  const shown = columns.filter((candidate) => tellsSomething(candidate, results))
  const table = textTable(
    shown,
    results.map((result) => shown.map(({ cell }) => cell(result))),
  )
  const rates = gemm.map(({ device, threads, precision, gflops }) => {
    const where = [
      device,
      ...(threads === undefined ? [] : [`${threads} thread${threads === 1 ? '' : 's'}`]),
      precision,
    ].join(', ')
    return `${gflops.toFixed(0)} GFLOP/s (${where})`
  })
  const many = results.flatMap((result) => result.many ?? [])
  const lanes = new Set(
    many.map((run) => `${run.lanes} of ${run.threads} thread${run.threads === 1 ? '' : 's'}`),
  )
  const disturbed = results.reduce((sum, { disturbedRuns }) => sum + disturbedRuns, 0)
  const runs = results.reduce((sum, result) => sum + result.runs, 0)
  return [
    table,
    '',
    ...(many.length === 0
      ? []
      : [
          `many: engines beside each other (${[...lanes].join('; ')}) × pictures that each takes at once; ms are of ${[
            ...new Set(many.map(({ pictures }) => pictures)),
          ].join(' or ')} pictures`,
        ]),
    `matrix products alone: ${rates.join('; ')}`,
    machineLine(machine),
    `${engines.join(', ')}; Node ${machine.node}; blvit ${machine.blvit}${machine.commit ? ` (${machine.commit})` : ''}; ${machine.date}`,
    `${runs} runs, ${disturbed} disturbed by other work on the machine`,
  ].join('\n')
}

/** Rows below this share of the time are summed up in one. */
const smallShare = 0.005

/** The nodes of a profile, the slowest first. */
export function profileTable(all: readonly ProfileRow[]): string {
  const large = all.filter(({ share }) => share >= smallShare)
  const small = all.filter(({ share }) => share < smallShare)
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
  return textTable(
    [
      { heading: 'scope', align: 'left' },
      { heading: 'operator', align: 'left' },
      { heading: 'nodes' },
      { heading: 'ms' },
      { heading: 'share' },
      { heading: 'GFLOP/s' },
    ],
    rows,
  )
}

/** Where a model's time goes. */
export function profileText({ name, batch, setting, ...profile }: Profile): string {
  const where = [`batch ${batch}`, ...(setting === plainKey ? [] : [setting])].join(', ')
  return [
    `${name}, ${where}: ${profile.wallMs.toFixed(2)} ms a run; ${profile.operatorsMs.toFixed(2)} ms in operators while profiled`,
    '',
    profileTable(profile.rows),
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

/** A setting that was looked for. */
export function foundText({ name, setting, latencyMs, baseline }: FoundSetting): string {
  const speedup = (baseline.latencyMs / latencyMs).toFixed(2)
  return (
    `${name}: ${setting}: ${latencyMs.toFixed(1)} ms, ${speedup} times as fast as ` +
    `${baseline.name === name ? 'the whole model' : baseline.name} (${baseline.latencyMs.toFixed(1)} ms)`
  )
}

/** Two libraries doing the same jobs. */
export function againstText({ model, ours, theirs, pictures, comparisons, machine }: AgainstReport): string {
  const rows = comparisons.map(({ job, ours: mine, theirs: other, ratio }) => [
    job === 'all pictures' ? `${pictures} pictures` : job,
    ms(mine.median),
    ms(other.median),
    times(ratio),
  ])
  return [
    textTable(
      [
        { heading: model, align: 'left' },
        { heading: 'blvit, ms' },
        { heading: 'transformers.js, ms' },
        { heading: 'faster' },
      ],
      rows,
    ),
    '',
    `medians; ${ours}; ${theirs}`,
    `${machine.cpu}, ${machine.cores} cores; load before: ${machine.loadBefore.toFixed(2)}; Node ${machine.node}; ${machine.date}`,
  ].join('\n')
}
