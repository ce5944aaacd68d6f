import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readFloats } from '../../src/weights/read-floats.js'
import { concatRows } from '../../src/weights/rows.js'
import { storedFrom } from '../../src/weights/stored-from.js'
import { sliceRows } from '../support/slice-rows.js'

const matrix = (rows: number, width: number, first = 0) =>
  storedFrom(
    Float32Array.from({ length: rows * width }, (_, i) => first + i),
    [rows, width],
  )

test('cut anywhere and put together, a tensor is itself, in one segment', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.nat(9), fc.nat(9), (width, top, bottom) => {
      const whole = matrix(top + bottom, width)
      const parts = [
        sliceRows(whole, { start: 0, count: top }),
        sliceRows(whole, { start: top, count: bottom }),
      ]
      const together = concatRows(parts, { name: 'w' })
      if (top + bottom > 0) expect(together).toEqual(whole)
      expect(together.shape).toEqual(whole.shape)
    }),
  )
})

test('rows of a stack of separate tensors read right, across their borders', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 }),
      fc.nat(),
      fc.nat(),
      async (sizes, a, b) => {
        const rows = sizes.reduce((x, y) => x + y, 0)
        let at = 0
        const parts = sizes.map((size) => {
          const part = matrix(size, 2, at * 2)
          at += size
          return part
        })
        const start = a % rows
        const count = b % (rows - start + 1)
        const slice = sliceRows(concatRows(parts, { name: 'w' }), { start, count })
        expect([...(await readFloats(slice))]).toEqual(
          Array.from({ length: count * 2 }, (_, i) => start * 2 + i),
        )
      },
    ),
  )
})

test('tensors that differ in more than rows are not stacked', () => {
  expect(() => concatRows([matrix(2, 3), matrix(2, 4)], { name: 'qkv' })).toThrow(
    /parts of qkv.*\[2, 3\].*\[2, 4\]/,
  )
  const half = storedFrom(new Float32Array(6), [2, 3], 'F16')
  expect(() => concatRows([matrix(2, 3), half], { name: 'qkv' })).toThrow(/F32 \[2, 3\], F16 \[2, 3\]/)
})
