import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { labelResults, meanAveragePrecision } from '../../src/problems/label-results.js'

describe('several labels a picture', () => {
  const path = new URL('../fixtures/finetune/scikit-learn.json', import.meta.url)
  const golden = JSON.parse(readFileSync(path, 'utf8')) as {
    several: number[][]
    scores: number[][]
    averagePrecision: number[]
  }

  test('the average precision is scikit-learn’s, equal scores included', () => {
    const [first = 0, second = 0] = golden.averagePrecision
    const told = {
      classes: ['a', 'b'],
      labels: golden.several,
      scores: Float32Array.from(golden.scores.flat()),
    }
    expect(meanAveragePrecision(told)).toBeCloseTo((first + second) / 2, 12)
  })

  test('each class is counted at 0.5, and a picture is right where all are', () => {
    const told = {
      classes: ['a', 'b'],
      labels: [[0, 1], [], [1]],
      scores: Float32Array.of(0.9, 0.4, 0.1, 0.2, 0.1, 0.5),
    }
    const { classes: each, exact } = labelResults(told)
    expect(exact).toMatchObject({ count: 2, of: 3 })
    expect(each.map(({ precision, recall }) => [precision.count, precision.of, recall.of])).toEqual([
      [1, 1, 1],
      [1, 1, 2],
    ])
  })
})
