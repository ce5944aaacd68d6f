import { expect, test } from 'vitest'
import { benchTraining } from '../../../src/bench/training/bench-training.js'
import { trainingCases } from '../../../src/bench/training/cases.js'
import { trainingBenchText } from '../../../src/cli/bench-training-report.js'

test('training steps are measured beside matrix products, and PyTorch’s where there is one', async () => {
  const loaded: string[] = []
  const report = await benchTraining({
    cases: ['vit'],
    // a run each tells how the table is made; where the machine has a PyTorch, with its row
    ...{ rounds: 1, warmUpMs: 0, products: [{ rows: 256, inner: 256, columns: 256 }] },
    threads: 1,
    onProgress: ({ doing, what }) => {
      if (doing === 'loading') loaded.push(what)
    },
  })
  const { results, missing, gemm } = report
  const titles = ['ViT 6×128, 65 tokens', 'ViT 6×128, 65 tokens, in PyTorch']
  expect(loaded).toEqual(['matrix products', ...titles])
  expect([...results, ...missing].map(({ title }) => title)).toEqual(titles)
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
