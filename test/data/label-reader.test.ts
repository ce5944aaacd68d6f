import { describe, expect, test } from 'vitest'
import { LabelReader } from '../../src/data/label-reader.js'
import { labels as fiveLabels } from './items-of.js'

const written = (texts: readonly string[]) => texts.map((text, i) => ({ text, where: `line ${i + 2}` }))

/** What each label of a data set means, and by which rule. */
function understood(labels: readonly string[], texts: readonly string[]) {
  const reader = new LabelReader(labels)
  reader.decide(written(texts))
  return { classes: written(texts).map((label) => reader.classOf(label)), rule: reader.rule }
}

const names = "names of the model's classes"
const numbers = 'class numbers from 0'

describe('how the labels of a data set are meant is decided once', () => {
  const fromOne = ['1', '2', '3', '4', '5']
  const padded = ['01', '02', '03', '04']
  const animals = ['cat', 'dog', 'cow', 'hen']

  test.each([
    ['names', animals, ['hen', 'Cat', '', 'dog'], [3, 0, undefined, 1], names],
    ['numbers', animals, ['3', '0', '-1', '01'], [3, 0, undefined, 1], numbers],
    [
      'numbers that are all names',
      fromOne,
      ['1', '2', '5', '4'],
      [0, 1, 4, 3],
      `${names}, also where they are numbers`,
    ],
    ['some of them', fromOne, ['4', '2'], [3, 1], `${names}, also where they are numbers`],
    [
      'numbers of which one is no name',
      fromOne,
      ['0', '1', '2', '3', '4'],
      [0, 1, 2, 3, 4],
      /^class numbers from 0, not names: no class is called "0"$/,
    ],
    [
      'names with zeros before them',
      padded,
      ['01', '04', '02'],
      [0, 3, 1],
      `${names}, also where they are numbers`,
    ],
    ['names without these zeros', padded, ['1', '4'], [0, 3], `${names}, also where they are numbers`],
    [
      'names with zeros that the model lacks',
      fromOne,
      ['01', '05'],
      [0, 4],
      `${names}, also where they are numbers`,
    ],
    ['digits that are their own numbers', ['0', '1', '2'], ['2', '0', '1'], [2, 0, 1], numbers],
    ['digits in another order', ['2', '1', '0'], ['2', '0'], [0, 2], /^names/],
    [
      'numbers and names among names',
      ['1', '2', 'other'],
      ['2', 'other'],
      [1, 2],
      `${names}, also where they are numbers`,
    ],
    [
      'numbers and names, where no class is called by a number',
      animals,
      ['3', 'cat', '1'],
      [3, 0, 1],
      `${numbers}, and ${names}`,
    ],
    ['no labels at all', animals, ['', '-1'], [undefined, undefined], undefined],
  ])('%s', (_, labels, texts, classes, rule) => {
    const result = understood(labels, texts)
    expect(result.classes).toEqual(classes)
    if (rule instanceof RegExp) expect(result.rule).toMatch(rule)
    else expect(result.rule).toBe(rule)
  })

  test('where the model has names that are numbers, class numbers among names are refused, with an example of both', () => {
    expect(() => understood(['1', '2', 'other'], ['1', '', 'other', '0'])).toThrow(
      'The labels are neither all names nor all class numbers: "other" (line 4) is a name, "0" (line 5) is none of the ' +
        "model's. Write all of them as names, or all as class numbers from 0.",
    )
  })

  test('labels that come one by one', () => {
    const reader = new LabelReader(animals)
    expect(reader.rule).toBeUndefined()
    expect(reader.classOf({ text: '1', where: 'a.cls' })).toBe(1)
    expect(reader.rule).toBe(numbers)
    expect(reader.classOf({ text: 'cat', where: 'b.cls' })).toBe(0)
    expect(reader.rule).toBe(`${numbers}, and ${names}`)
  })

  test.each([
    [['1', '2', '3'], true],
    [['0', '1', '2'], false],
    [['00', '01'], false],
    [['two, 2', 'one, 1'], true],
    [animals, false],
  ])('of a model with the classes %j all labels must be known before: %s', (labels, needed) => {
    expect(new LabelReader(labels).needsAll).toBe(needed)
  })
})

describe('what is no class', () => {
  const found = (text: string, ...others: readonly string[]) => {
    const reader = new LabelReader(fiveLabels)
    reader.decide(written(others))
    return () => reader.classOf({ text, where: 'labels.csv, line 3' })
  }

  test.each([
    [
      'a number too large',
      found('5', '1'),
      "labels.csv, line 3: label 5 is out of range: the model's classes are 0 to 4.",
    ],
    [
      'a negative number',
      found('-2', '1'),
      "labels.csv, line 3: label -2 is out of range: the model's classes are 0 to 4.",
    ],
    [
      'a name of two classes',
      found('crane', 'hen'),
      /"crane" is the name of the classes 2 and 3\. Write all labels as class numbers/,
    ],
    [
      'an unknown name',
      found('hne', 'hen'),
      /labels\.csv, line 3: the model has no class "hne"\. Did you mean "hen"\?/,
    ],
    ['a number with a fraction', found('1.5', '1'), /no class "1\.5"/],
    ['a name among numbers', found('cow', '1', '2'), /no class "cow"\./],
    ["a WordNet id for a model that is not ImageNet's", found('n01440764'), /no class "n01440764"/],
  ])('%s is refused', (_, find, message) => {
    expect(find).toThrow(message)
  })
})
