import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { PictureMask } from '../../src/image/picture-mask.js'
import { centreClick, uniformClicks } from '../../src/segmentation/clicks.js'
import { connectedRegions, withoutSmallRegions } from '../../src/segmentation/connected.js'
import { polygonsOf } from '../../src/segmentation/contours.js'
import { squaredDistances } from '../../src/segmentation/distance-transform.js'
import { rleOfPolygons } from '../../src/segmentation/polygon-rle.js'
import { decodeRle } from '../../src/segmentation/rle.js'
import { drawn, letters, someMask } from './masks-of.js'

test("outlines give the mask again by COCO's rule, holes and corners that touch included", () => {
  fc.assert(
    fc.property(someMask, (mask) => {
      expect(letters(decodeRle(rleOfPolygons(polygonsOf(mask), mask)))).toEqual(letters(mask))
    }),
  )
})

test('an outline has a corner only where it turns', () => {
  expect(polygonsOf(drawn('....', '.##.', '.##.'))).toEqual([[3, 1, 3, 3, 1, 3, 1, 1]])
})

/** To the nearest pixel outside, by looking at all of them. */
function slowly({ height, width, values }: PictureMask): number[] {
  return Array.from(values, (value, at) => {
    if (value === 0) return 0
    const [x, y] = [at % width, Math.floor(at / width)]
    let nearest = Number.POSITIVE_INFINITY
    for (let other = -1; other <= height; other++) {
      for (let column = -1; column <= width; column++) {
        const isInside = other >= 0 && other < height && column >= 0 && column < width
        if (isInside && values[other * width + column] !== 0) continue
        nearest = Math.min(nearest, (column - x) ** 2 + (other - y) ** 2)
      }
    }
    return nearest
  })
}

test('distances are those to the nearest pixel outside', () => {
  fc.assert(
    fc.property(someMask, (mask) => {
      expect([...squaredDistances(mask)]).toEqual(slowly(mask))
    }),
  )
})

describe('clicks', () => {
  test('fall on pixels of the object, each once while there are others, and are the same every time', () => {
    fc.assert(
      fc.property(someMask, fc.integer({ min: 1, max: 9 }), fc.nat(), (mask, count, seed) => {
        const clicks = uniformClicks(mask, { count, seed, object: 7 })
        const area = mask.values.reduce((sum, value) => sum + value, 0)
        expect(clicks).toHaveLength(area === 0 ? 0 : count)
        for (const { x, y, label } of clicks) {
          expect(mask.values[y * mask.width + x]).toBe(1)
          expect(label).toBe(1)
        }
        const places = clicks.map(({ x, y }) => `${x},${y}`)
        expect(new Set(places).size).toBe(Math.min(count, area))
        expect(uniformClicks(mask, { count, seed, object: 7 })).toEqual(clicks)
      }),
    )
  })

  const square = drawn('.....', '.###.', '.###.', '.###.', '.....')

  test('go to the middle first', () => {
    expect(centreClick(square)).toEqual({ x: 2, y: 2, label: 1 })
  })

  test('then to what is missing, or to what is too much where that is deeper', () => {
    expect(centreClick(square, drawn('.....', '.....', '.###.', '.###.', '.....'))).toEqual({
      x: 1,
      y: 1,
      label: 1,
    })
    expect(centreClick(square, drawn('.....', '.....', '.####', '.####', '..###'))).toEqual({
      x: 4,
      y: 2,
      label: 0,
    })
  })

  test('end where nothing is wrong', () => {
    expect(centreClick(square, square)).toBeUndefined()
    expect(centreClick(drawn('...'))).toBeUndefined()
  })
})

describe('small regions', () => {
  test('holes are filled before islands go; corners connect', () => {
    const before = drawn('####...#', '#.##..#.', '####....', '.......#')
    const after = drawn('####....', '####....', '####....', '........')
    expect(letters(withoutSmallRegions(before, 3) ?? before)).toEqual(letters(after))
  })

  test('the largest stays where all are small, and nothing changes where none is', () => {
    expect(letters(withoutSmallRegions(drawn('#..##'), 3) ?? drawn('#'))).toEqual(['#####'])
    const lonely = drawn('#....', '.....', '.....', '...##')
    expect(letters(withoutSmallRegions(lonely, 3) ?? lonely)).toEqual(['.....', '.....', '.....', '...##'])
    expect(withoutSmallRegions(drawn('###..', '.....'), 3)).toBeUndefined()
  })

  test('regions partition the pixels that are meant', () => {
    fc.assert(
      fc.property(someMask, (mask) => {
        const { labels, areas } = connectedRegions(mask, { connectivity: 8 })
        expect([...labels].map((label) => Number(label > 0))).toEqual([...mask.values])
        areas.forEach((area, index) => {
          expect(labels.filter((label) => label === index + 1)).toHaveLength(area)
        })
      }),
    )
  })
})
