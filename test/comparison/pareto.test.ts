import fc from 'fast-check'
import { expect, test } from 'vitest'
import { paretoFront } from '../../src/comparison/pareto.js'

test('nobody on the front is beaten, and everybody else by somebody who is on it', () => {
  const place = fc.record({ cost: fc.integer({ min: 0, max: 6 }), accuracy: fc.integer({ min: 0, max: 6 }) })
  fc.assert(
    fc.property(fc.array(place, { minLength: 1, maxLength: 12 }), (places) => {
      const front = paretoFront(places)
      const on = places.filter((_, index) => front[index])
      for (const [index, { cost, accuracy }] of places.entries()) {
        const better = on.filter((other) => other.cost <= cost && other.accuracy >= accuracy)
        const isBeaten = better.some((other) => other.cost < cost || other.accuracy > accuracy)
        expect(isBeaten).toBe(!front[index])
      }
    }),
  )
})

test('of equal ones all are on it', () => {
  const same = { cost: 1, accuracy: 0.5 }
  expect(paretoFront([same, { cost: 2, accuracy: 0.5 }, same, { cost: 3, accuracy: 0.6 }])).toEqual([
    true,
    false,
    true,
    true,
  ])
})
