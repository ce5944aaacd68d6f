import type { TrainingReport } from '../bench/training/bench-training.js'
import type { TrainingProfile } from '../bench/training/profile-training.js'
import { machineLine, profileTable } from './bench-report.js'
import { grouped, percent } from './quantities.js'
import { textTable } from './table.js'

const headings = ['batch', 'ms: p10', 'median', 'p90', 'pictures/s', 'G mult-adds', 'GFLOP/s', 'of GEMM']

/** The steps, and below them what they were measured on. */
export function trainingBenchText({ machine, gemm, results, missing }: TrainingReport): string {
  const rows = results.map(
    ({ title, batch, stepMs, imagesPerSecond, multiplyAdds, gflops, shareOfGemmRate }) => [
      title,
      `${batch}`,
      ...[stepMs.p10, stepMs.median, stepMs.p90].map((ms) => grouped(ms, { decimals: 0 })),
      grouped(imagesPerSecond, { decimals: 1 }),
      (multiplyAdds / 1e9).toFixed(2),
      gflops.toFixed(0),
      percent(shareOfGemmRate),
    ],
  )
  const columns = headings.map((heading) => ({ heading }))
  const threads = gemm.threads === undefined ? '' : `, ${gemm.threads} thread${gemm.threads === 1 ? '' : 's'}`
  const runs = results.reduce((sum, result) => sum + result.runs, 0)
  const disturbed = results.reduce((sum, result) => sum + result.disturbedRuns, 0)
  return [
    textTable([{ heading: 'training step', align: 'left' }, ...columns], rows),
    ...missing.map(({ title, why }) => `${title}: ${why}`),
    '',
    `matrix products alone: ${gemm.gflops.toFixed(0)} GFLOP/s (${gemm.device}${threads})`,
    machineLine(machine),
    `${[...new Set(results.map(({ engine }) => engine))].join(', ')}; Node ${machine.node}; blvit ${machine.blvit}${machine.commit ? ` (${machine.commit})` : ''}; ${machine.date}`,
    `${runs} steps, ${disturbed} disturbed by other work on the machine`,
  ].join('\n')
}

/** Where a step's time goes. */
export function trainingProfileText({ title, batch, stepMs, operatorsMs, rows }: TrainingProfile): string {
  const times = `${stepMs.toFixed(0)} ms a step; ${operatorsMs.toFixed(0)} ms in operators while profiled`
  return [`${title}, batch ${batch}: ${times}`, '', profileTable(rows)].join('\n')
}
