import fc from 'fast-check'
import { expect, test } from 'vitest'
import { expand, input, reduceSum, scaleShift } from '../../src/graph/ops/index.js'
import { inWindows } from '../../src/nn/windows.js'
import { evaluateTensors } from '../support/evaluate.js'

const sizes = fc.record({
  batch: fc.integer({ min: 1, max: 2 }),
  channels: fc.integer({ min: 1, max: 3 }),
  rows: fc.integer({ min: 1, max: 9 }),
  columns: fc.integer({ min: 1, max: 9 }),
  side: fc.integer({ min: 1, max: 5 }),
})

test('what is done to every place alike comes out at its own place, whatever windows fill the map', () => {
  fc.assert(
    fc.property(sizes, ({ side, ...size }) => {
      const shape = Object.values(size)
      const doubled = inWindows(input('map', shape), side, (windows) => scaleShift(windows, { scale: 2 }))
      const data = Float64Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => i + 1)
      const [result] = evaluateTensors([doubled], { map: { shape, data } })
      expect(result).toEqual({ shape, data: data.map((value) => 2 * value) })
    }),
  )
})

test('places of one window meet, and zeros where the map ends', () => {
  // 3×3 in windows of 2×2: what a window sums up, each of its places has afterwards
  const sums = inWindows(input('map', [1, 1, 3, 3]), 2, (windows) =>
    expand(reduceSum(windows, { axes: [2, 3] }), windows.shape),
  )
  const data = Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9)
  const [result] = evaluateTensors([sums], { map: { shape: [1, 1, 3, 3], data } })
  expect([...(result?.data ?? [])]).toEqual([12, 12, 9, 12, 12, 9, 15, 15, 9])
})
