import { describe, expect, test } from 'vitest'
import { classesOf } from '../../src/data/classes.js'
import { imagenetLabels as imagenet } from '../../src/model-store/imagenet-labels.js'
import { labels } from './items-of.js'

describe('which classes are called so', () => {
  const { called } = classesOf(labels)

  test.each([
    ['a label', 'hen', [1]],
    ['a label of several names', 'Tench, tinca tinca', [0]],
    ['one of its names', 'tabby cat', [4]],
    ['a name with underscores', 'Tabby_Cat', [4]],
    ['a name of two classes', 'crane', [2, 3]],
    ['a number', '4', []],
    ['nothing', '', []],
    ["a WordNet id for a model that is not ImageNet's", 'n01440764', []],
  ])('%s', (_, text, classes) => {
    expect(called(text)).toEqual(classes)
  })

  test('WordNet ids of ImageNet-1k', () => {
    const { called } = classesOf(imagenet)
    expect(called('n01440764')).toEqual([0])
    expect(called('n15075141')).toEqual([999])
    expect(called('n02951358')).toEqual([472])
  })

  test('the whole label as it is written comes before any other likeness', () => {
    const { called } = classesOf(['a', 'A', '1', '01', 'one, 2', '2'])
    expect(['a', 'A', '1', '01', '001', '2', 'one'].map((text) => called(text))).toEqual([
      [0],
      [1],
      [2],
      [3],
      [2, 3],
      [5],
      [4],
    ])
  })

  test.each(['NFC', 'NFD'] as const)('names in the Unicode form %s are those in the other', (form) => {
    const other = form === 'NFC' ? 'NFD' : 'NFC'
    const { called } = classesOf(['São Paulo', 'Zürich', '한국', 'dog'].map((label) => label.normalize(form)))
    const texts = ['São Paulo', 'são_paulo', 'ZÜRICH', '한국']
    expect(texts.map((text) => called(text.normalize(other)))).toEqual([[0], [0], [1], [2]])
  })

  test('zeros before a number don’t count', () => {
    expect(['1', '01', '4', '0004'].map((text) => classesOf(['01', '02', '03', '04']).called(text))).toEqual([
      [0],
      [0],
      [3],
      [3],
    ])
    expect(['01', '10', '0'].map((text) => classesOf(['1', '10', '100']).called(text))).toEqual([
      [0],
      [1],
      [],
    ])
  })
})
