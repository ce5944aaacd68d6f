import { expect, test } from 'vitest'
import { codeCell, codeSpan, markdownTable } from '../../src/base/markdown.js'

test('code ends where it should', () => {
  expect(codeSpan('vit')).toBe('`vit`')
  expect(codeSpan('a`b``c\n')).toBe('``` a`b``c\\u000a ```')
  expect(codeCell('cat|dog')).toBe('`cat\\|dog`')
})

test('a cell of a table ends where it should', () => {
  const columns = [
    { heading: 'a|b', align: 'left' },
    { heading: '%', align: 'right' },
  ] as const
  expect(markdownTable(columns, [['two\nlines', '1']])).toEqual([
    '| a\\|b | % |',
    '| --- | --: |',
    '| two lines | 1 |',
  ])
})
