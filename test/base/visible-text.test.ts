import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { visible, visibleLines } from '../../src/base/visible-text.js'

describe('what a terminal would obey is written out', () => {
  test.each([
    ['colours', '\u001b[31mcat', '\\u001b[31mcat'],
    ['the start of a line', 'L4\rX', 'L4\\u000dX'],
    ['a line break in a name', 'a\nb', 'a\\u000ab'],
    ['the same in eight bits', '\u009b31mcat', '\\u009b31mcat'],
    ['the bell, a step back, delete', '\u0007\b\u007f', '\\u0007\\u0008\\u007f'],
    ['the direction of reading', 'a\u202egnp.exe\u2066', 'a\\u202egnp.exe\\u2066'],
    ['lines of Unicode', 'a\u2028b\u2029', 'a\\u2028b\\u2029'],
  ])('%s', (_, text, shown) => {
    expect(visible(text)).toBe(shown)
  })

  test('letters of all scripts stay', () => {
    const text = 'São Paulo, Zürich, 한국, العربية, हिन्दी, 👩‍🚀, z\u0303 \u200e'
    expect(visible(text)).toBe(text)
    expect(visibleLines(text)).toBe(text)
  })

  test('text of several lines keeps its lines and tabs', () => {
    expect(visibleLines('a\n\tb\r\u001b[1m')).toBe('a\n\tb\\u000d\\u001b[1m')
  })

  test('JSON stays the same JSON', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(JSON.parse(visibleLines(JSON.stringify({ label: text }, null, 2)))).toEqual({ label: text })
      }),
    )
  })
})
