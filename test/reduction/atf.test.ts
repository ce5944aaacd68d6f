import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dilated, objectRegion, staticRegion } from '../../src/reduction/atf.js'

describe('regions', () => {
  test('a threshold over all tokens lets a class token that draws much raise it', () => {
    const means = Float64Array.of(0.6, 0.05, 0.15, 0.1, 0.1)
    expect(staticRegion(means, { prefix: 1, threshold: 'patches' })).toEqual([false, true, false, false])
    expect(staticRegion(means, { prefix: 1, threshold: 'all' })).toEqual([false, false, false, false])
  })

  test('a patch that receives just the mean is not above it', () =>
    expect(
      staticRegion(Float64Array.of(0.25, 0.25, 0.25, 0.25), { prefix: 0, threshold: 'patches' }),
    ).toEqual([false, false, false, false]))

  test('dilation is a maximum over a square, with nothing outside', () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 1, max: 7 }),
        fc.integer({ min: 0, max: 4 }),
        fc.array(fc.boolean(), { minLength: 49, maxLength: 49 }),
        (height, width, radius, drawn) => {
          const values = Uint8Array.from(drawn.slice(0, height * width), Number)
          const grown = dilated({ height, width, values }, radius)
          for (let at = 0; at < height * width; at++) {
            const [y, x] = [Math.floor(at / width), at % width]
            const near = values.some(
              (value, other) =>
                value === 1 &&
                Math.abs(Math.floor(other / width) - y) <= radius &&
                Math.abs((other % width) - x) <= radius,
            )
            expect(grown.values[at]).toBe(Number(near))
          }
        },
      ),
    ))

  test('pixels beyond the last whole patch belong to none', () => {
    const values = new Uint8Array(25)
    values[24] = 1
    values[2 * 5 + 1] = 1
    expect(objectRegion({ height: 5, width: 5, values }, { rows: 2, columns: 2 }, 2)).toEqual([
      false,
      false,
      true,
      false,
    ])
  })
})
