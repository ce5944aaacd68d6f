import { expect } from 'vitest'

/** Fails with the worst element unless `|actual − expected| ≤ atol + rtol·|expected|` everywhere. */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { rtol = 0, atol = 0 }: { rtol?: number; atol?: number },
): void {
  expect(actual.length, 'number of elements').toBe(expected.length)
  let worst = 0
  let where = -1
  for (let i = 0; i < expected.length; i++) {
    const a = actual[i] ?? Number.NaN
    const e = expected[i] ?? Number.NaN
    // the difference of two infinities is no number
    if (a === e) continue
    const excess = Math.abs(a - e) - (atol + rtol * Math.abs(e))
    // written so that a NaN difference counts as the worst of all
    if (!(excess <= worst)) {
      worst = Number.isNaN(excess) ? Number.POSITIVE_INFINITY : excess
      where = i
    }
  }
  expect(where, `element ${where}: got ${actual[where]}, expected ${expected[where]}`).toBe(-1)
}
