import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { reducedSize } from '../../src/image/reduced-size.js'

describe('the size at which a large JPEG is decoded', () => {
  test('is a fifth for 12 megapixels and a model of 224 pixels', () => {
    const atLeast = { width: 496, height: 496 }
    expect(reducedSize({ width: 4032, height: 3024 }, atLeast)).toEqual({ width: 806, height: 604 })
    expect(reducedSize({ width: 8000, height: 6000 }, atLeast)).toEqual({ width: 888, height: 666 })
    expect(reducedSize({ width: 2000, height: 1500 }, atLeast)).toEqual({ width: 666, height: 500 })
  })

  test('is the whole size for pictures as ImageNet has them', () => {
    expect(reducedSize({ width: 500, height: 375 }, { width: 496, height: 496 })).toBeUndefined()
    expect(reducedSize({ width: 2000, height: 1400 }, { width: 496, height: 496 })).toBeUndefined()
  })

  test('is never below what is needed, nor so close to 1/2, 1/4, 1/8 that sharp decodes everything', () => {
    const anySize = fc.record({
      width: fc.integer({ min: 1, max: 20_000 }),
      height: fc.integer({ min: 1, max: 20_000 }),
    })
    fc.assert(
      fc.property(anySize, anySize, (picture, atLeast) => {
        const reduced = reducedSize(picture, atLeast)
        if (reduced === undefined) return
        expect(reduced.width).toBeGreaterThanOrEqual(atLeast.width)
        expect(reduced.height).toBeGreaterThanOrEqual(atLeast.height)
        const shrink = Math.min(picture.width / reduced.width, picture.height / reduced.height)
        expect(shrink).toBeGreaterThanOrEqual(3)
      }),
      {
        examples: [
          [
            { width: 4032, height: 3024 },
            { width: 600, height: 600 },
          ],
        ],
      },
    )
  })
})
