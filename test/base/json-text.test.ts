import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nestingDepth, repeatedKey } from '../../src/base/json-text.js'

test.each([
  ['1', 0],
  ['{}', 1],
  ['[[], {"a": [1]}]', 3],
  [String.raw`{"a": "[[[[\"[[", "b\\": []}`, 2],
  ['[[[', 3],
  ['["', 1],
])('%s nests %d levels', (text, levels) => {
  expect(nestingDepth(text)).toBe(levels)
})

test.each([
  ['{"a": 1, "b": {"a": 2}}', undefined],
  ['{"a": 1, "b": "a", "c": ["a", "a"]}', undefined],
  ['{"a": 1, "\\u0061" : 2}', 'a'],
  [String.raw`{"a\"": 1, "b": "\"", "a\"": 2}`, 'a"'],
  ['{"__proto__": 1, "__proto__": 2}', '__proto__'],
])('%s repeats %s', (text, key) => {
  expect(repeatedKey(text)).toBe(key)
})

test('what JSON.stringify writes repeats no key and nests as deep as its value', () => {
  const depthOf = (value: unknown): number =>
    typeof value === 'object' && value !== null
      ? 1 + Math.max(0, ...Object.values(value).map((inner) => depthOf(inner)))
      : 0
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value)
      expect(nestingDepth(text)).toBe(depthOf(value))
      expect(repeatedKey(text)).toBeUndefined()
    }),
  )
})

test('a string of ten million letters is passed over, not matched', () => {
  expect(repeatedKey(`{"a": "${'x'.repeat(10_000_000)}", "a": 1}`)).toBe('a')
})
