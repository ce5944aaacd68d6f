import { expect, test } from 'vitest'
import { drawBelow, drawBeta, drawNormal } from '../../src/base/distributions.js'
import { seededRandom } from '../../src/base/random.js'

const count = 20_000

function momentsOf(draw: (random: () => number) => number): {
  mean: number
  variance: number
  values: number[]
} {
  const random = seededRandom(7)
  const values = Array.from({ length: count }, () => draw(random))
  const mean = values.reduce((a, b) => a + b, 0) / count
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count
  return { mean, variance, values }
}

// Four standard errors of a mean of 20,000 draws are below 0.03 times the deviation; the seed is fixed.
test.each([0.1, 0.8, 1, 3])(
  'Beta(%d, same) has mean 1/2 and variance 1 / (8α + 4), and stays in 0 … 1',
  (alpha) => {
    const { mean, variance, values } = momentsOf((random) => drawBeta(alpha, random))
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.03 * 0.5)
    expect(variance * (8 * alpha + 4)).toBeGreaterThan(0.96)
    expect(variance * (8 * alpha + 4)).toBeLessThan(1.04)
    expect(values.every((value) => value >= 0 && value <= 1)).toBe(true)
  },
)

test('Beta(1, 1) is uniform: each tenth gets a tenth', () => {
  const { values } = momentsOf((random) => drawBeta(1, random))
  for (let tenth = 0; tenth < 10; tenth++) {
    const share = values.filter((value) => Math.floor(value * 10) === tenth).length / count
    expect(Math.abs(share - 0.1)).toBeLessThan(0.01)
  }
})

test('an α near 0 draws nearly only 0 and 1, and no NaN', () => {
  const { values } = momentsOf((random) => drawBeta(0.001, random))
  expect(values.every((value) => value >= 0 && value <= 1)).toBe(true)
  expect(values.filter((value) => value < 0.01 || value > 0.99).length / count).toBeGreaterThan(0.98)
})

test('normal numbers have mean 0 and variance 1, and 4.6 % lie beyond two deviations', () => {
  const { mean, variance, values } = momentsOf(drawNormal)
  expect(Math.abs(mean)).toBeLessThan(0.03)
  expect(Math.abs(variance - 1)).toBeLessThan(0.04)
  const beyond = values.filter((value) => Math.abs(value) > 2).length / count
  expect(Math.abs(beyond - 0.0455)).toBeLessThan(0.006)
})

test('whole numbers below a bound come all, and none else', () => {
  const { values } = momentsOf((random) => drawBelow(3, random))
  expect([...new Set(values)].sort()).toEqual([0, 1, 2])
})
