import fc from 'fast-check'
import { expect, test } from 'vitest'
import { expand, input, reduceSum, scaleShift } from '../../src/graph/ops/index.js'
import { acrossPatches } from '../../src/nn/patch-groups.js'
import { evaluateTensors } from '../support/evaluate.js'

const sizes = fc.record({
  batch: fc.integer({ min: 1, max: 2 }),
  width: fc.integer({ min: 1, max: 3 }),
  down: fc.integer({ min: 1, max: 3 }),
  across: fc.integer({ min: 1, max: 3 }),
  rows: fc.integer({ min: 1, max: 3 }),
  columns: fc.integer({ min: 1, max: 3 }),
})

test('what is done to every token alike comes out at its own place, whatever the patches', () => {
  fc.assert(
    fc.property(sizes, ({ batch, width, down, across, rows, columns }) => {
      const shape = [batch, width, down * rows, across * columns]
      const doubled = acrossPatches(input('map', shape), { rows, columns }, (groups) => {
        expect(groups.shape).toEqual([batch * rows * columns, down * across, width])
        return scaleShift(groups, { scale: 2 })
      })
      const data = Float64Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i + 1)
      const [result] = evaluateTensors([doubled], { map: { shape, data } })
      expect(result).toEqual({ shape, data: data.map((value) => 2 * value) })
    }),
  )
})

test('places of the same position in their patches meet, and no others', () => {
  const sums = acrossPatches(input('map', [1, 1, 2, 4]), { rows: 2, columns: 2 }, (groups) =>
    expand(reduceSum(groups, { axes: [1] }), groups.shape),
  )
  const data = Float64Array.of(1, 2, 3, 4, 10, 20, 30, 40)
  const [result] = evaluateTensors([sums], { map: { shape: [1, 1, 2, 4], data } })
  expect([...(result?.data ?? [])]).toEqual([4, 6, 4, 6, 40, 60, 40, 60])
})
