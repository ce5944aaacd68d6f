import { expect, test } from 'vitest'
import { cosineRate } from '../../src/training/learning-rate.js'

test('the rate rises to its peak, is half of it in the middle of the rest and ends near 0', () => {
  const rate = (step: number) => cosineRate(step, { peak: 0.4, steps: 24, warmUp: 4 })
  expect([0, 1, 2, 3, 4].map(rate)).toEqual([0.08, 0.16, 0.24, 0.32, 0.4].map((x) => expect.closeTo(x, 12)))
  expect(rate(14)).toBeCloseTo(0.2, 12)
  expect(rate(23)).toBeGreaterThan(0)
  expect(rate(23)).toBeLessThan(0.01)
  expect(rate(24)).toBeCloseTo(0, 12)
})

test('without a warm-up it begins at its peak', () => {
  expect(cosineRate(0, { peak: 1, steps: 10 })).toBe(1)
})
