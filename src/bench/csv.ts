import { csvText } from '../data/csv-table.js'
import type { BenchReport, BenchResult } from './report.js'

const columns: Readonly<Record<string, (result: BenchResult) => string | number | undefined>> = {
  model: ({ name }) => name,
  device: ({ device }) => device,
  threads: ({ threads }) => threads,
  precision: ({ precision }) => precision,
  batch: ({ batch }) => batch,
  lanes: ({ many }) => many?.lanes,
  setting: ({ setting }) => setting,
  p10_ms: ({ latencyMs }) => latencyMs.p10,
  median_ms: ({ latencyMs }) => latencyMs.median,
  p90_ms: ({ latencyMs }) => latencyMs.p90,
  images_per_second: ({ imagesPerSecond }) => imagesPerSecond,
  beside_batch_1: ({ besideBatch1 }) => besideBatch1,
  multiply_adds: ({ multiplyAdds }) => multiplyAdds,
  gflops: ({ gflops }) => gflops,
  share_of_gemm_rate: ({ shareOfGemmRate }) => shareOfGemmRate,
  speedup: ({ against }) => against?.measuredSpeedup,
  multiply_add_speedup: ({ against }) => against?.multiplyAddSpeedup,
  efficiency: ({ against }) => against?.efficiency,
  baseline: ({ against }) => against?.baseline,
  runs: ({ runs }) => runs,
  disturbed_runs: ({ disturbedRuns }) => disturbedRuns,
}

/** A report as comma-separated text, a line for each result, in full precision. */
export function benchCsv({ results }: BenchReport): string {
  const cells = results.map((result) => Object.values(columns).map((value) => value(result)))
  return csvText(Object.keys(columns), cells)
}
