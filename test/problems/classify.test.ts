import { describe, expect, test } from 'vitest'
import { classify, rankClasses } from '../../src/problems/classify.js'

const labels = ['cat', 'dog', 'hen']
const context = { labels, prefix: 1, classToken: true, projection: undefined } as const

describe('a threshold', () => {
  // softmax of these is 0.665, 0.245, 0.090
  const logits = Float32Array.of(2, 1, 0)
  const told = (threshold: number, scores: 'softmax' | 'sigmoid') =>
    rankClasses(logits, labels, { top: 5, scores, threshold }).map(({ label }) => label)

  test('leaves the classes that reach it, which may be none of them', () => {
    expect(told(0.6, 'softmax')).toEqual(['cat'])
    expect(told(0.2, 'softmax')).toEqual(['cat', 'dog'])
    expect(told(0.7, 'softmax')).toEqual([])
  })

  test('is each label’s own where each is answered for itself', () => {
    // sigmoid: 0.881, 0.731, 0.5
    expect(told(0.5, 'sigmoid')).toEqual(['cat', 'dog', 'hen'])
    expect(told(0.6, 'sigmoid')).toEqual(['cat', 'dog'])
    expect(told(0.9, 'sigmoid')).toEqual([])
  })

  test.each([2, -0.1, Number.NaN])('of %d is refused', (threshold) => {
    expect(() => classify.check?.({ threshold }, { ...context, scores: 'softmax' })).toThrow(
      `threshold is ${threshold}; it must be a probability from 0 to 1.`,
    )
  })

  test('is refused where a model answers with numbers', () => {
    expect(() => classify.check?.({ threshold: 0.5 }, { ...context, scores: 'none' })).toThrow(/regression/)
  })
})
