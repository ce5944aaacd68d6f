import { describe, expect, test } from 'vitest'
import { isBetter, judged, losesAtMost, type RowScores, runNoise } from '../../src/experiments/claims.js'

const rows: Readonly<Record<string, RowScores>> = {
  good: { title: 'good', top1: [0.72, 0.73, 0.74] },
  close: { title: 'close', top1: [0.725, 0.735, 0.745] },
  bad: { title: 'bad', top1: [0.6, 0.61, 0.62] },
}
const lookup = (name: string) => rows[name]
const noise = runNoise(Object.values(rows))
const verdictOf = (...claims: Parameters<typeof judged>[0]) =>
  judged(claims, lookup, noise).map(({ verdict }) => verdict)

describe('claims', () => {
  test('the spread of one run is that of all rows together', () => {
    // each row has a sample variance of 1e-4
    expect(noise.deviation).toBeCloseTo(0.01, 12)
    expect(noise.freedom).toBe(6)
    expect(runNoise([{ title: 'once', top1: [0.5] }]).freedom).toBe(0)
  })

  test('a difference beyond chance decides, a smaller one does not', () => {
    expect(
      verdictOf(
        isBetter('x', 'good', 'bad', 'a'),
        isBetter('x', 'bad', 'good', 'b'),
        isBetter('x', 'close', 'good', 'c'),
      ),
    ).toEqual(['held', 'did not hold', "can't be told at this size"])
  })

  test('a loss is held against what is claimed of it, not against nothing', () => {
    expect(
      verdictOf(
        losesAtMost('x', 'bad', 'good', 20, 'a'),
        losesAtMost('x', 'bad', 'good', 5, 'b'),
        losesAtMost('x', 'bad', 'good', 12, 'c'),
      ),
    ).toEqual(['held', 'did not hold', "can't be told at this size"])
  })

  test('says with which numbers, and which rows are missing', () => {
    const [held, missing] = judged(
      [isBetter('x', 'good', 'bad', 'a'), isBetter('x', 'good', 'gone', 'b')],
      lookup,
      noise,
    )
    // t(0.975, 6) = 2.447, · 1 % · √(2/3)
    expect(held?.because).toBe('good against bad: +12.0 ± 2.0 points')
    expect(missing).toMatchObject({ verdict: "can't be told at this size", because: 'not run: gone' })
  })
})
