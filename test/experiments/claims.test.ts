import { describe, expect, test } from 'vitest'
import { isBetter, judged, losesAtMost, type RowScores } from '../../src/experiments/claims.js'

const rows: Readonly<Record<string, RowScores>> = {
  good: { title: 'good', top1: [0.72, 0.73, 0.74] },
  close: { title: 'close', top1: [0.725, 0.735, 0.745] },
  once: { title: 'once', top1: [0.9] },
  bad: { title: 'bad', top1: [0.6, 0.61, 0.62] },
}
const lookup = (name: string) => rows[name]
const verdictOf = (...claims: Parameters<typeof judged>[0]) =>
  judged(claims, lookup).map(({ verdict }) => verdict)

describe('claims', () => {
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
    )
    // scipy.stats.ttest_ind(good, bad, equal_var=False): 4 degrees of freedom, t = 2.776 · 1 % · √(2/3)
    expect(held?.because).toBe('good against bad: +12.0 ± 2.3 points')
    expect(missing).toMatchObject({ verdict: "can't be told at this size", because: 'not run: gone' })
    const [once] = judged([isBetter('x', 'once', 'bad', 'a')], lookup)
    expect(once).toMatchObject({ because: 'one run of once shows no spread' })
  })
})
