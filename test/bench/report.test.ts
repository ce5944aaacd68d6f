import { describe, expect, test } from 'vitest'
import { defined } from '../../src/base/assert.js'
import { benchCsv } from '../../src/bench/csv.js'
import { describeMachine } from '../../src/bench/machine.js'
import type { EngineChoice } from '../../src/bench/messages.js'
import { benchPlot } from '../../src/bench/plot.js'
import { type MeasuredModel, machineRate, resultOf } from '../../src/bench/report.js'
import { variantOf } from '../../src/bench/variants.js'
import { machineGemms } from '../../src/engine/gemm-sizes.js'
import { presets } from '../../src/models/index.js'
import type { Settings } from '../../src/settings/settings.js'

const choice = { device: 'cpu', threads: 2, precision: 'fp32' } as const

function measured(
  name: string,
  settings: Settings,
  times: readonly number[],
  on: Partial<EngineChoice> = {},
): MeasuredModel {
  const architecture = presets[name]
  if (!architecture) throw new Error(name)
  return {
    variant: variantOf({ name, architecture, model: { config: architecture.json } }, settings),
    choice: { ...choice, ...on },
    job: { kind: 'model', batch: 2, settings },
    runs: times.map((ms) => ({ ms, waitShare: ms > 1000 ? 0.5 : 0 })),
  }
}

describe('the figures of a measurement', () => {
  const all = [
    measured('vit-tiny', {}, [20, 20, 20]),
    measured('t+48', { keepRatio: 0.25 }, [16, 16, 16, 5000]),
    measured('t+48', { keepRatio: 0.5 }, [20, 20, 20]),
  ]
  const gemm = [
    machineRate(choice, [
      // the first of the products: 2·1576·768·3072 operations in 74.4 ms
      { choice, job: { kind: 'gemm', index: 0 }, runs: [{ ms: 74.364, waitShare: 0 }] },
      { choice, job: { kind: 'gemm', index: 1 }, runs: [{ ms: 100, waitShare: 0 }] },
    ]),
  ]
  const [plain, quarter, half] = all.map((model) => resultOf(model, { all, gemm }))
  if (!plain || !quarter || !half) throw new Error('three results')

  test('the machine’s rate is that of its best product', () => {
    expect(machineGemms[0]).toEqual({ rows: 1576, inner: 768, columns: 3072 })
    expect(gemm).toEqual([{ device: 'cpu', threads: 2, precision: 'fp32', gflops: expect.closeTo(100, 2) }])
  })

  test('many pictures are compared by the picture, whatever a lane takes at once', () => {
    const many = (name: string, settings: Settings, batch: number, ms: number): MeasuredModel => ({
      ...measured(name, settings, [ms, ms, ms]),
      job: { kind: 'many', settings },
      many: { lanes: 2, threads: 1, batch, pictures: 16 * batch },
    })
    const both = [...all, many('vit-tiny', {}, 2, 160), many('t+48', { keepRatio: 0.25 }, 4, 256)]
    const [first, second] = both.slice(-2).map((model) => resultOf(model, { all: both, gemm }))
    // 5 ms a picture beside 4
    expect(first?.imagesPerSecond).toBe(200)
    expect(second?.against).toMatchObject({ baseline: 'vit-tiny', measuredSpeedup: 1.25 })
    expect(second?.against?.multiplyAddSpeedup).toBeCloseTo(quarter.against?.multiplyAddSpeedup ?? 0, 9)
    expect(first?.multiplyAdds).toBeCloseTo(16 * plain.multiplyAdds, -3)
  })

  test('many are beside one picture a run of the same setting in the same precision, where there is one', () => {
    const of = (precision: 'fp32' | 'int8', isMany: boolean, ms: number): MeasuredModel => ({
      ...measured('t+48', { keepRatio: 0.25 }, [ms], { precision }),
      job: isMany
        ? { kind: 'many', settings: { keepRatio: 0.25 } }
        : { kind: 'model', batch: 1, settings: { keepRatio: 0.25 } },
      ...(isMany && { many: { lanes: 2, threads: 1, batch: 1, pictures: 16 } }),
    })
    const both = [of('fp32', false, 16), of('int8', false, 12), of('fp32', true, 160), of('int8', true, 96)]
    const results = both.map((model) => resultOf(model, { all: both, gemm }))
    // 16 to 10 ms a picture, 12 to 6
    expect(results.slice(2).map(({ besideBatch1 }) => besideBatch1)).toEqual([1.6, 2])
    const [alone] = [of('int8', true, 96)].map((model) => resultOf(model, { all: [both[0] ?? model], gemm }))
    expect(alone?.besideBatch1).toBeUndefined()
  })

  test('a model whose tokens are reduced is compared with itself, by the multiply-adds of the reduced graph', () => {
    const pair = [measured('vit-tiny', {}, [20]), measured('vit-tiny', { reduce: 'tome:8' }, [16])]
    const [whole, reduced] = pair.map((model) => resultOf(model, { all: pair, gemm }))
    expect(reduced).toMatchObject({
      setting: 'tome:8',
      against: { baseline: 'vit-tiny', measuredSpeedup: 1.25 },
    })
    const theory = defined(whole, 'a result').multiplyAdds / defined(reduced, 'a result').multiplyAdds
    expect(theory).toBeGreaterThan(1.1)
    expect(reduced?.against?.multiplyAddSpeedup).toBeCloseTo(theory, 10)
  })

  test('a plain ViT has a rate and no baseline', () => {
    // spec §4: ViT-Tiny has 1.2539 G multiply-adds in full; of its last block the engine computes keys and values, and for the
    // class token alone the rest: 10·192² and 2·197·192 less for each of 196 patches
    const unread = 196 * (10 * 192 ** 2 + 2 * 197 * 192)
    expect((plain.multiplyAdds / 2 + unread) / 1e9).toBeCloseTo(1.2539, 3)
    expect(plain.gflops).toBeCloseTo((2 * plain.multiplyAdds) / 20e6, 6)
    expect(plain.shareOfGemmRate).toBeCloseTo(plain.gflops / 100, 4)
    expect(plain.imagesPerSecond).toBe(100)
    expect(plain.against).toBeUndefined()
    expect([plain, quarter].map(({ setting }) => setting)).toEqual(['plain', 'keep ratio 0.25'])
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
    version: 2,
    machine: describeMachine(),
    engines: [],
    gemm,
    results: [plain, quarter, half],
  } as const

  test('as CSV, a line for each, empty where there is nothing', () => {
    const [heading, first, second] = benchCsv(report).split('\n')
    expect(heading).toMatch(/^model,device,threads,precision,batch,lanes,setting,p10_ms,median_ms,/)
    expect(first).toMatch(/^vit-tiny,cpu,2,fp32,2,,plain,20,20,20,100,/)
    expect(second).toMatch(/^t\+48,cpu,2,fp32,2,,keep ratio 0\.25,16,16,16,125,/)
  })

  test('as a plot: measured points with their settings, and the line of theory', () => {
    const svg = benchPlot(report)
    for (const name of ['t+48, keep ratio', 'vit-tiny, all tokens', 'vit-tiny, in theory', 'keep ratio 0.25'])
      expect(svg).toContain(`>${name}</text>`)
    expect(svg.match(/class="point"/g)).toHaveLength(3)
  })

  test('nothing that saves work is nothing to draw', () => {
    expect(() => benchPlot({ ...report, results: [plain] })).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION' }),
    )
  })

  test('each device, thread count and precision has a curve of its own colour', () => {
    const others = [{}, { device: 'webgpu' }, { threads: 1 }, { precision: 'int8' }] as const
    const models = others.flatMap((on) => [
      measured('vit-tiny', {}, [20], on),
      measured('t+48', { keepRatio: 0.25 }, [16], on),
      measured('t+48', { keepRatio: 0.5 }, [20], on),
    ])
    const results = models.map((model) => resultOf(model, { all: models, gemm }))
    const svg = benchPlot({ ...report, results })
    const names = [
      't+48, keep ratio, cpu, 2 threads, fp32',
      't+48, keep ratio, webgpu, 2 threads, fp32',
      't+48, keep ratio, cpu, 1 thread, fp32',
      't+48, keep ratio, cpu, 2 threads, int8',
    ]
    const looks = names.map((name) => {
      const end = svg.indexOf(`>${name}</text>`)
      expect(end, name).toBeGreaterThan(0)
      return /fill="(#\w+)"[^>]*$/.exec(svg.slice(0, end))?.[1]
    })
    expect(new Set(looks).size).toBe(4)
  })
})
