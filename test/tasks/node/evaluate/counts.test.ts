import { describe, expect, test } from 'vitest'
import { shareOf } from '../../../../src/base/share.js'
import { answerOf } from '../../../../src/tasks/node/evaluate/picture-outcome.js'
import { tally } from '../../../../src/tasks/node/evaluate/tally.js'
import { expectClose } from '../../../support/expect-close.js'

describe("Wilson's interval", () => {
  // the roots of (k/n − p)² = z²·p(1 − p)/n, found by bisection in Python
  test.each([
    [533, 650, 0.788612, 0.847628],
    [8, 10, 0.490162, 0.943318],
    [0, 10, 0, 0.277533],
    [10, 10, 0.722467, 1],
    [1, 1, 0.206549, 1],
  ])('%i of %i', (count, of, low, high) => {
    const share = shareOf(count, of)
    expect(share.share).toBe(count / of)
    // the references have six digits
    expectClose([share.low, share.high], [low, high], { rtol: 0, atol: 1e-6 })
  })

  test('ends at exactly 0 and 1 where none and all are right', () => {
    for (let of = 1; of <= 100; of++) expect([shareOf(0, of).low, shareOf(of, of).high]).toEqual([0, 1])
  })

  test('of nothing is everything', () => {
    expect(shareOf(0, 0)).toEqual({ count: 0, of: 0, share: Number.NaN, low: 0, high: 1 })
  })
})

describe('an answer', () => {
  test('the best class, its probability and the rank of the label', () => {
    const logits = Float32Array.of(1, 3, 2, 3, 0)
    const { predicted, probability, rank } = answerOf(logits, { label: 2 })
    expect({ predicted, rank }).toEqual({ predicted: 1, rank: 3 })
    const sum = Math.E ** 1 + 2 * Math.E ** 3 + Math.E ** 2 + 1
    expect(probability).toBeCloseTo(Math.E ** 3 / sum, 12)
    expect(answerOf(logits, { label: 3 }).rank).toBe(2)
    expect(answerOf(logits, { label: 1 }).rank).toBe(1)
    expect('rank' in answerOf(logits, {})).toBe(false)
  })

  test('of several labels: the best placed one’s rank, and all scores', () => {
    const logits = Float32Array.of(0, 2, 1)
    const { rank, scores } = answerOf(logits, { labels: [0, 2] }, { scores: 'sigmoid' })
    expect(rank).toBe(2)
    expect(scores?.[0]).toBe(0.5)
    expect('rank' in answerOf(logits, { labels: [] }, { scores: 'sigmoid' })).toBe(false)
  })

  test('of logits that overflow softmax', () => {
    expect(answerOf(Float32Array.of(1000, 0), { label: 0 })).toEqual({
      predicted: 0,
      probability: 1,
      rank: 1,
    })
  })
})

describe('a tally', () => {
  const at = (keepRatio: number) => ({ setting: `keep ratio ${keepRatio}`, values: { keepRatio } })
  const answer = (predicted: number, rank?: number) => ({
    predicted,
    probability: 1,
    ...(rank ? { rank } : {}),
  })
  const outcomes = [
    { name: 'a', label: 3, answers: [answer(3, 1), answer(1, 4)], teacher: answer(3, 1) },
    { name: 'b', label: 4, answers: [answer(2, 6), answer(4, 1)], teacher: answer(1, 2) },
    { name: 'c', answers: [answer(0), answer(1)], teacher: answer(1) },
    { name: 'd', label: 1, error: { code: 'BAD_IMAGE', message: 'd is cut off' } },
  ]

  test('counts ranks over labelled and agreement over all evaluated pictures', () => {
    const counts = tally(outcomes, { settings: [at(0.5), at(1)], classes: 10 })
    expect(counts).toMatchObject({
      ...{ pictures: 4, evaluated: 3, labelled: 2 },
      failures: [{ name: 'd', code: 'BAD_IMAGE', message: 'd is cut off' }],
      results: [
        {
          setting: 'keep ratio 0.5',
          keepRatio: 0.5,
          top1: { count: 1, of: 2 },
          top5: { count: 1, of: 2 },
          agreement: { count: 1, of: 3 },
        },
        {
          setting: 'keep ratio 1',
          keepRatio: 1,
          top1: { count: 1, of: 2 },
          top5: { count: 2, of: 2 },
          agreement: { count: 1, of: 3 },
        },
      ],
      teacher: { top1: { count: 1, of: 2 }, top5: { count: 2, of: 2 } },
    })
  })

  test('has no top-5 for five classes, nothing set for a plain ViT and no agreement without a teacher', () => {
    const [result] = tally([{ name: 'a', label: 3, answers: [answer(3, 1)] }], {
      settings: [{ setting: 'plain', values: {} }],
      classes: 5,
    }).results
    expect(Object.keys(result ?? {})).toEqual(['setting', 'top1'])
  })
})
