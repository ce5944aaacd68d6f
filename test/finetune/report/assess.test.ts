import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { accuracyOf, classResults, confusionOf } from '../../../src/finetune/report/assess.js'
import { labelResults, meanAveragePrecision } from '../../../src/finetune/report/assess-several.js'
import { mistakesOf, suspectsOf } from '../../../src/finetune/report/suspects.js'

const classes = ['cat', 'dog', 'hen']
const answered = {
  classes,
  labels: [[0], [0], [1], [1], [2]],
  scores: Float32Array.of(
    ...[0.8, 0.1, 0.1],
    ...[0.3, 0.6, 0.1],
    ...[0.1, 0.9, 0],
    ...[0.9, 0.1, 0],
    ...[0.2, 0.2, 0.6],
  ),
}

describe('one label a picture', () => {
  test('confusions, precision, recall and accuracy are counted', () => {
    const confusion = confusionOf(answered)
    expect(confusion).toEqual([
      [1, 1, 0],
      [1, 1, 0],
      [0, 0, 1],
    ])
    expect(accuracyOf(confusion)).toMatchObject({ count: 3, of: 5 })
    const [cat, , hen] = classResults(classes, confusion)
    expect(cat).toMatchObject({ pictures: 2, precision: { count: 1, of: 2 }, recall: { count: 1, of: 2 } })
    expect(hen).toMatchObject({ pictures: 1, precision: { count: 1, of: 1 }, recall: { count: 1, of: 1 } })
  })

  test('the surest mistakes come first, and those as sure as a class’s own pictures are suspects', () => {
    const mistakes = mistakesOf(answered)
    expect(mistakes.map(({ picture, label, said }) => [picture, label, said])).toEqual([
      [3, 1, 0],
      [1, 0, 1],
    ])
    // cats are told with 0.55 on average, dogs with 0.5
    expect(suspectsOf(answered, mistakes).map(({ picture }) => picture)).toEqual([3, 1])
    const unsure = {
      ...answered,
      scores: answered.scores.map((score) => (score > 0.59 && score < 0.61 ? 0.45 : score)),
    }
    expect(suspectsOf(unsure, mistakesOf(unsure)).map(({ picture }) => picture)).toEqual([3])
  })
})

describe('several labels a picture', () => {
  const path = new URL('../../fixtures/finetune/scikit-learn.json', import.meta.url)
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
