import { describe, expect, test } from 'vitest'
import { benchCsv } from '../../src/bench/csv.js'
import { describeMachine } from '../../src/bench/machine.js'
import { benchPlot } from '../../src/bench/plot.js'
import { gemmRate, type MeasuredModelSetting, resultOf } from '../../src/bench/report.js'
import { machineGemms } from '../../src/engine/gemm-sizes.js'
import { presets } from '../../src/models/index.js'

const choice = { device: 'cpu', threads: 2, precision: 'fp32' } as const

function measured(
  name: string,
  keepRatio: number | undefined,
  times: readonly number[],
): MeasuredModelSetting {
  const architecture = presets[name]
  if (!architecture) throw new Error(name)
  return {
    subject: { name, architecture, model: { config: architecture.json } },
    choice,
    setting: { kind: 'model', batch: 2, keepRatio },
    runs: times.map((ms) => ({ ms, waitShare: ms > 1000 ? 0.5 : 0 })),
  }
}

describe('the figures of a measurement', () => {
  const all = [
    measured('vit-tiny', undefined, [20, 20, 20]),
    measured('t+48', 0.25, [16, 16, 16, 5000]),
    measured('t+48', 0.5, [20, 20, 20]),
  ]
  const gemm = [
    gemmRate(choice, [
      // the first of the products: 2·1576·768·3072 operations in 74.4 ms
      { choice, setting: { kind: 'gemm', index: 0 }, runs: [{ ms: 74.364, waitShare: 0 }] },
      { choice, setting: { kind: 'gemm', index: 1 }, runs: [{ ms: 100, waitShare: 0 }] },
    ]),
  ]
  const [plain, quarter, half] = all.map((model) => resultOf(model, { all, gemm }))
  if (!plain || !quarter || !half) throw new Error('three results')

  test('the machine’s rate is that of its best product', () => {
    expect(machineGemms[0]).toEqual({ rows: 1576, inner: 768, columns: 3072 })
    expect(gemm).toEqual([{ device: 'cpu', threads: 2, precision: 'fp32', gflops: expect.closeTo(100, 2) }])
  })

  test('a plain ViT has a rate and no baseline', () => {
    // spec §4: ViT-Tiny has 1.2539 G multiply-adds in full
    expect(plain.multiplyAdds / 2e9).toBeCloseTo(1.2539, 2)
    expect(plain.gflops).toBeCloseTo((2 * plain.multiplyAdds) / 20e6, 6)
    expect(plain.shareOfGemmRate).toBeCloseTo(plain.gflops / 100, 4)
    expect(plain.imagesPerSecond).toBe(100)
    expect(plain.against).toBeUndefined()
    expect(plain).not.toHaveProperty('keepRatio')
  })

  test('η is the measured speed-up by that of the multiply-adds, against the plain ViT at the same batch', () => {
    expect(quarter.against?.baseline).toBe('vit-tiny')
    expect(quarter.against?.measuredSpeedup).toBeCloseTo(20 / 16, 10)
    const theory = plain.multiplyAdds / quarter.multiplyAdds
    expect(quarter.against?.multiplyAddSpeedup).toBeCloseTo(theory, 10)
    expect(quarter.against?.efficiency).toBeCloseTo(20 / 16 / theory, 10)
    expect(half.against?.multiplyAddSpeedup).toBeLessThan(theory)
  })

  test('runs that waited for the processor don’t count, but are counted', () => {
    expect(quarter).toMatchObject({ runs: 3, disturbedRuns: 1, latencyMs: { p90: 16 } })
  })

  const report = {
    version: 1,
    machine: describeMachine(),
    engines: [],
    gemm,
    results: [plain, quarter, half],
  } as const

  test('as CSV, a line for each, empty where there is nothing', () => {
    const [heading, first, second] = benchCsv(report).split('\n')
    expect(heading).toMatch(/^model,device,threads,precision,batch,keep_ratio,p10_ms,median_ms,/)
    expect(first).toMatch(/^vit-tiny,cpu,2,fp32,2,,20,20,20,100,/)
    expect(second).toMatch(/^t\+48,cpu,2,fp32,2,0\.25,16,16,16,125,/)
  })

  test('as a plot: measured and promised curves and the plain ViT', () => {
    const svg = benchPlot(report)
    for (const name of ['t+48', 't+48, in theory', 'vit-tiny']) expect(svg).toContain(`>${name}</text>`)
    expect(svg.match(/<circle/g)).toHaveLength(2)
  })

  test('one keep ratio is nothing to draw', () => {
    expect(() => benchPlot({ ...report, results: [plain, quarter] })).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION' }),
    )
  })
})
