import { expect, test } from 'vitest'
import { checkWholeNumbers } from '../../src/base/whole-number.js'

test('counts are whole numbers from 1; what isn’t given is right', () => {
  expect(() => checkWholeNumbers({ batch: 1, limit: undefined })).not.toThrow()
  expect(() => checkWholeNumbers({ threads: 8 }, { most: 8 })).not.toThrow()
})

test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('%s is none', (limit) => {
  expect(() => checkWholeNumbers({ batch: 8, limit })).toThrow(
    expect.objectContaining({
      code: 'BAD_OPTION',
      message: `limit is ${limit}; it must be a whole number from 1.`,
    }),
  )
})

test('more than there can be is refused too', () => {
  expect(() => checkWholeNumbers({ threads: 9 }, { most: 8 })).toThrow(/threads is 9; .* from 1 to 8\./)
})
