import { describe, expect, test } from 'vitest'
import { readLabels } from '../../src/model-store/labels.js'
import { readLabelNames } from '../../src/models/label-names.js'
import { readScoreFunction, writeScoreFunction } from '../../src/models/score-function.js'

describe('class names of a config.json', () => {
  test.each<[string, object]>([
    ['numbers', { id2label: { 0: 'ant', 1: 'bee', 2: 'cat' } }],
    ['numbers in any order', { id2label: { 2: 'cat', 0: 'ant', 1: 'bee' } }],
    ['padded numbers', { id2label: { '000': 'ant', '001': 'bee', '002': 'cat' } }],
    ['LABEL_0', { id2label: { LABEL_0: 'ant', LABEL_1: 'bee', LABEL_2: 'cat' } }],
    ['a list', { id2label: ['ant', 'bee', 'cat'] }],
    ['label2id alone', { label2id: { cat: 2, ant: 0, bee: 1 } }],
    ['label2id with texts', { label2id: { cat: '2', ant: '0', bee: '1' } }],
    ['label_names', { label_names: ['ant', 'bee', 'cat'] }],
    ['label_names by number', { label_names: { 0: 'ant', 1: 'bee', 2: 'cat' } }],
    ['label_names of pretrained_cfg', { pretrained_cfg: { label_names: ['ant', 'bee', 'cat'] } }],
    [
      'descriptions by name',
      { label_names: ['n1', 'n2', 'cat'], label_descriptions: { n1: 'ant', n2: 'bee' } },
    ],
    ['descriptions in order', { label_names: ['n1', 'n2', 'n3'], label_descriptions: ['ant', 'bee', 'cat'] }],
    ['descriptions alone', { label_descriptions: ['ant', 'bee', 'cat'] }],
  ])('%s', (_, json) => {
    expect(readLabels({ ...json }, 3)).toEqual({ labels: ['ant', 'bee', 'cat'], assumptions: [] })
  })

  test('that are numbers are texts', () => {
    expect(readLabels({ id2label: { 0: 7, 1: 8 } }, 2).labels).toEqual(['7', '8'])
  })

  test.each([
    [{ id2label: { 0: 'a', '00': 'b' } }, /names class 0 twice, "a" and "b"/],
    [{ label2id: { a: 1, b: 1 } }, /names class 1 twice/],
    [{ id2label: { first: 'a' } }, /"first", which is no class number/],
    [{ id2label: { 0: 'a', 3: 'b' } }, /names class 3, "b", but the model has 3 classes/],
    [{ id2label: 7 }, /id2label: expected names/],
  ])('%j is refused', (json, message) => {
    expect(() => readLabels(json, 3)).toThrow(message)
    expect(() => readLabels(json, 3)).toThrow(expect.objectContaining({ code: 'BAD_CONFIG' }))
  })

  test('with a gap are completed, and that is told', () => {
    const { labels, assumptions } = readLabels({ id2label: { 0: 'a', 2: 'c' } }, 4)
    expect(labels).toEqual(['a', 'class 1', 'c', 'class 3'])
    expect(assumptions).toEqual([expect.stringContaining('id2label names 2 of 4 classes')])
    expect(readLabelNames({ id2label: { 0: 'a', 2: 'c' } })?.count).toBe(3)
  })

  test('that nobody gives are numbers, or ImageNet’s, and that is told', () => {
    expect(readLabels({}, 2).labels).toEqual(['class 0', 'class 1'])
    expect(readLabels({}, 2).assumptions).toHaveLength(1)
    expect(readLabels({}, 1000).labels[0]).toBe('tench, Tinca tinca')
    expect(readLabels({}, 1000).assumptions).toEqual([expect.stringContaining('ImageNet-1k')])
    expect(readLabels({}, 0)).toEqual({ labels: [], assumptions: [] })
  })
})

test.each([
  [{}, 5, 'softmax'],
  [{}, 1, 'sigmoid'],
  [{ problem_type: null }, 5, 'softmax'],
  [{ problem_type: 'single_label_classification' }, 5, 'softmax'],
  [{ problem_type: 'single_label_classification' }, 1, 'sigmoid'],
  [{ problem_type: 'multi_label_classification' }, 5, 'sigmoid'],
  [{ problem_type: 'regression' }, 1, 'none'],
  [{ problem_type: 'regression' }, 3, 'none'],
] as const)("%j of %d classes is read by %s, as transformers' pipeline reads it", (json, classes, scores) => {
  expect(readScoreFunction(json, classes)).toBe(scores)
  expect(readScoreFunction(writeScoreFunction(scores, classes), classes)).toBe(scores)
})

test('an unknown problem_type is refused by name', () => {
  expect(() => readScoreFunction({ problem_type: 'ranking' }, 2)).toThrow(/problem_type: /)
})
