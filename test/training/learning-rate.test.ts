import { expect, test } from 'vitest'
import { learningRateAt } from '../../src/training/learning-rate.js'

test('the rate rises to its peak, is half of it in the middle of the rest and ends near 0', () => {
  const rate = (step: number) => learningRateAt(step, { shape: 'cosine', peak: 0.4, steps: 24, warmUp: 4 })
  expect([0, 1, 2, 3, 4].map(rate)).toEqual([0.08, 0.16, 0.24, 0.32, 0.4].map((x) => expect.closeTo(x, 12)))
  expect(rate(14)).toBeCloseTo(0.2, 12)
  expect(rate(23)).toBeGreaterThan(0)
  expect(rate(23)).toBeLessThan(0.01)
  expect(rate(24)).toBeCloseTo(0, 12)
})

test('without a warm-up it begins at its peak', () => {
  expect(learningRateAt(0, { shape: 'cosine', peak: 1, steps: 10 })).toBe(1)
})

test('the rate falls evenly, or not at all, from its peak to its final rate', () => {
  const schedule = { peak: 1, steps: 12, warmUp: 2, final: 0.2 }
  const linear = (step: number) => learningRateAt(step, { shape: 'linear', ...schedule })
  expect([0, 1, 2, 7, 12].map(linear)).toEqual([1 / 3, 2 / 3, 1, 0.6, 0.2].map((x) => expect.closeTo(x, 12)))
  const cosine = (step: number) => learningRateAt(step, { shape: 'cosine', ...schedule })
  expect([2, 7, 12].map(cosine)).toEqual([1, 0.6, 0.2].map((x) => expect.closeTo(x, 12)))
  const constant = (step: number) => learningRateAt(step, { shape: 'constant', ...schedule })
  expect([0, 1, 2, 7, 11].map(constant)).toEqual([1 / 3, 2 / 3, 1, 1, 1])
})
