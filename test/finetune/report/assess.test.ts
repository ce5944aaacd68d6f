import { describe, expect, test } from 'vitest'
import { accuracyOf, classResults, confusionOf } from '../../../src/finetune/report/assess.js'
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
