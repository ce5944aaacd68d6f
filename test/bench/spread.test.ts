import fc from 'fast-check'
import { expect, test } from 'vitest'
import { spreadOf } from '../../src/bench/spread.js'

test('quantiles stand between their neighbours, as numpy interpolates them', () => {
  // numpy.quantile([3, 1, 4, 1, 5, 9, 2, 6], [0.1, 0.5, 0.9])
  expect(spreadOf([3, 1, 4, 1, 5, 9, 2, 6])).toEqual({
    p10: 1,
    median: 3.5,
    p90: expect.closeTo(6.9, 10),
  })
  expect(spreadOf([7])).toEqual({ p10: 7, median: 7, p90: 7 })
  expect(spreadOf([]).median).toBeNaN()
})

test('the order of the values is nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true }), { minLength: 1 }), (values) => {
      expect(spreadOf([...values].reverse())).toEqual(spreadOf(values))
    }),
  )
})
