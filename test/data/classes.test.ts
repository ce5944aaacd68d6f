import { describe, expect, test } from 'vitest'
import { classesOf } from '../../src/data/classes.js'
import { imagenetLabels as imagenet } from '../../src/model-store/imagenet-labels.js'
import { labels } from './items-of.js'

describe('which class a label means', () => {
  const classes = classesOf(labels)

  test.each([
    ['a number', '4', 4],
    ['a label', 'hen', 1],
    ['a label of several names', 'Tench, tinca tinca', 0],
    ['one of its names', 'tabby cat', 4],
    ['a name with underscores', 'Tabby_Cat', 4],
    ['nothing', '', undefined],
    ['-1', '-1', undefined],
  ])('%s', (_, text, label) => {
    expect(classes.find(text, 'here')).toBe(label)
  })

  test.each([
    [
      'a number too large',
      '5',
      "labels.csv, line 3: label 5 is out of range: the model's classes are 0 to 4.",
    ],
    [
      'a negative number',
      '-2',
      "labels.csv, line 3: label -2 is out of range: the model's classes are 0 to 4.",
    ],
    ['a name of two classes', 'crane', /"crane" can mean the classes 2 and 3\. Write the class number/],
    ['an unknown name', 'hne', /labels\.csv, line 3: the model has no class "hne"\. Did you mean "hen"\?/],
    ['a number with a fraction', '1.5', /no class "1\.5"/],
    ["a WordNet id for a model that is not ImageNet's", 'n01440764', /no class "n01440764"/],
  ])('%s is refused', (_, text, message) => {
    expect(() => classes.find(text, 'labels.csv, line 3')).toThrow(message)
  })

  test('WordNet ids of ImageNet-1k', () => {
    const { find } = classesOf(imagenet)
    expect(find('n01440764', '')).toBe(0)
    expect(find('n15075141', '')).toBe(999)
    expect(find('n02951358', '')).toBe(472)
  })

  test('a label that is a number means that label, not the class of that number', () => {
    expect(classesOf(['2', '1', '0']).find('2', '')).toBe(0)
  })
})
