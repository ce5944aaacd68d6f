import { expect, test } from 'vitest'
import { checkOptions } from '../../src/base/check-options.js'

test('known options are right, also where they are undefined', () => {
  expect(() =>
    checkOptions('option of load', { reduce: undefined }, { reduce: true, threads: true }),
  ).not.toThrow()
})

test('an unknown one is refused with a suggestion', () => {
  expect(() =>
    checkOptions('option of load', { redcue: 'evit:0.7' }, { reduce: true, threads: true }),
  ).toThrow(
    expect.objectContaining({
      code: 'BAD_OPTION',
      message: 'There is no option of load "redcue". Did you mean "reduce"? Known: reduce, threads.',
    }),
  )
})
