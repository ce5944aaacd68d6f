import { expect, test } from 'vitest'
import { assert, defined } from '../../src/base/assert.js'
import { didYouMean } from '../../src/base/suggest.js'

const known = ['vit-tiny', 'vit-small', 'b+t']

test.each([
  ['vit-tinny', ' Did you mean "vit-tiny"?'],
  ['VIT-SMALL', ' Did you mean "vit-small"?'],
  ['bt', ' Did you mean "b+t"?'],
  ['resnet50', ''],
])('after %s: "%s"', (typed, suggestion) => {
  expect(didYouMean(typed, known)).toBe(suggestion)
})

test('the nearest of several wins, and of none there is nothing to suggest', () => {
  expect(didYouMean('vit-tin', ['vit-tin-x', 'vit-tiny'])).toBe(' Did you mean "vit-tiny"?')
  expect(didYouMean('vit', [])).toBe('')
  // neighbours that changed places are one slip, whatever the word's length
  expect(didYouMean('tpo', ['top', 'device'])).toBe(' Did you mean "top"?')
  expect(didYouMean('hne', ['hen'])).toBe(' Did you mean "hen"?')
  // two letters of two are wrong
  expect(didYouMean('L0', ['fly'])).toBe('')
})

test('a broken invariant says that it is blvit’s own bug', () => {
  expect(() => assert(false, 'two batches')).toThrow('blvit bug: two batches')
  expect(() => defined(undefined, 'the route')).toThrow('blvit bug: the route is missing')
  expect(() => defined(null, 'the route')).toThrow('the route is missing')
  // 0, false and the empty string are values
  expect([defined(0, 'a'), defined(false, 'b'), defined('', 'c')]).toEqual([0, false, ''])
})
