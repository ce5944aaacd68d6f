import { expect, test } from 'vitest'
import { benchTraining } from '../../../src/bench/training/bench-training.js'
import { trainingCases } from '../../../src/bench/training/cases.js'
import { trainingBenchText } from '../../../src/cli/bench-training-report.js'
import { pythonWith } from '../../support/python.js'

const titles = ['ViT 6×128, 65 tokens', 'ViT 6×128, 65 tokens, in PyTorch']

/** A run each tells how the table is made. */
const briefly = {
  ...{ cases: ['vit'] as const, rounds: 1, warmUpMs: 0, threads: 1 },
  products: [{ rows: 256, inner: 256, columns: 256 }],
}

test('training steps are measured beside matrix products; a PyTorch that isn’t there is told', async () => {
  const loaded: string[] = []
  const report = await benchTraining({
    ...briefly,
    pythons: ['/nowhere/python3'],
    onProgress: ({ doing, what }) => {
      if (doing === 'loading') loaded.push(what)
    },
  })
  const { results, missing, gemm } = report
  expect(loaded).toEqual(['matrix products', ...titles])
  expect(results.map(({ title }) => title)).toEqual(titles.slice(0, 1))
  expect(missing).toEqual([{ title: titles[1], why: expect.stringContaining('no python3 here has torch') }])
  for (const { batch, stepMs, imagesPerSecond, gflops, shareOfGemmRate } of results) {
    expect(batch).toBe(trainingCases.vit.batch)
    expect(imagesPerSecond).toBeCloseTo((1000 * batch) / stepMs.median, 6)
    expect(shareOfGemmRate).toBeCloseTo(gflops / gemm.gflops, 10)
  }
  const text = trainingBenchText(report)
  for (const { title } of results) expect(text).toContain(title)
  for (const { why } of missing) expect(text).toContain(why)
  // it waits for a processor that others use, as it should
}, 120_000)

// PyTorch alone takes longer to be imported than all else here
const isPatient = process.env.BLVIT_SLOW_TESTS === '1' && pythonWith('torch') !== undefined
const impatient = isPatient ? '' : ' (skipped: BLVIT_SLOW_TESTS=1 runs it where a python3 has torch)'

test.skipIf(!isPatient)(
  `PyTorch’s step stands in a row of its own${impatient}`,
  async () => {
    const { results, missing } = await benchTraining(briefly)
    expect(missing).toEqual([])
    expect(results.map(({ title }) => title)).toEqual(titles)
    expect(results[1]?.engine).toMatch(/torch/i)
  },
  240_000,
)
