import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/base/random.js'
import type { Pixels } from '../../src/image/pixels.js'
import { drawCrop, mirrored, resizedCrop, shiftedCrop } from '../../src/image/random-crop.js'
import { crop, resize } from '../../src/image/resize.js'

function noise(width: number, height: number): Pixels {
  const random = seededRandom(9)
  return { width, height, values: Uint8Array.from({ length: width * height * 3 }, () => 256 * random()) }
}

describe('drawCrop', () => {
  const size = { width: 500, height: 375 }
  const random = seededRandom(1)
  const crops = Array.from({ length: 2000 }, () => drawCrop(size, random))

  test('every crop lies inside, with 8 % to 100 % of the area and sides of 3:4 to 4:3', () => {
    for (const { left, top, width, height } of crops) {
      expect(Math.min(left, top)).toBeGreaterThanOrEqual(0)
      expect(left + width).toBeLessThanOrEqual(size.width)
      expect(top + height).toBeLessThanOrEqual(size.height)
      // half a pixel of rounding on a side of at least 90
      expect(width / height).toBeGreaterThan(0.75 * 0.99)
      expect(width / height).toBeLessThan((4 / 3) * 1.01)
      expect(width * height).toBeGreaterThan(0.08 * 0.98 * size.width * size.height)
    }
  })

  test('areas are drawn evenly but for large crops that don’t fit', () => {
    const shares = crops.map(({ width, height }) => (width * height) / (size.width * size.height))
    const below = shares.filter((share) => share < 0.54).length / shares.length
    // the same algorithm written in Python, 100,000 draws at this size: 0.675
    expect(below).toBeGreaterThan(0.64)
    expect(below).toBeLessThan(0.71)
  })

  test('of a picture that is too narrow for any crop, the largest one in its middle', () => {
    expect(drawCrop({ width: 10, height: 400 }, seededRandom(2))).toEqual({
      left: 0,
      top: 193,
      width: 10,
      height: 13,
    })
    expect(drawCrop({ width: 400, height: 9 }, seededRandom(2))).toEqual({
      left: 194,
      top: 0,
      width: 12,
      height: 9,
    })
  })

  test('a picture of one pixel has one crop', () => {
    expect(drawCrop({ width: 1, height: 1 }, seededRandom(3))).toEqual({
      left: 0,
      top: 0,
      width: 1,
      height: 1,
    })
  })
})

test('a mirror image of a mirror image is the picture', () => {
  const picture = noise(7, 5)
  expect(mirrored(picture).values.slice(0, 3)).toEqual(picture.values.slice(18, 21))
  expect(mirrored(mirrored(picture))).toEqual(picture)
})

test('a seed decides the crop, which is resized to the size asked for', () => {
  const picture = noise(40, 30)
  const size = { width: 16, height: 12 }
  for (let seed = 0; seed < 20; seed++) {
    const made = resizedCrop(picture, size, seededRandom(seed))
    const plain = resize(crop(picture, drawCrop(picture, seededRandom(seed))), { ...size, filter: 'bicubic' })
    expect(made).toEqual(plain)
  }
})

test('a narrower scale and ratio are kept to', () => {
  const random = seededRandom(6)
  for (let i = 0; i < 200; i++) {
    const { width, height } = drawCrop({ width: 400, height: 400 }, random, {
      scale: [0.25, 0.3],
      ratio: [1, 1],
    })
    expect(width).toBe(height)
    expect(width).toBeGreaterThanOrEqual(200)
    expect(width).toBeLessThanOrEqual(220)
  }
})

test('a shifted picture lies at one of all places, with black beside it', () => {
  const one = { width: 5, height: 4, values: new Uint8Array(60).fill(9) }
  const picture = { ...one, values: one.values.map((_, i) => (i === 3 * 5 + 3 ? 200 : 9)) } // row 1, column 1
  const places = new Set<string>()
  const random = seededRandom(8)
  for (let i = 0; i < 400; i++) {
    const { values, ...size } = shiftedCrop(picture, 2, random)
    expect(size).toEqual({ width: 5, height: 4 })
    const bright = values.indexOf(200)
    const black = values.filter((value) => value === 0).length / 3
    if (bright < 0) continue
    const [down, across] = [Math.floor(bright / 15) - 1, (bright % 15) / 3 - 1]
    expect(black).toBe(20 - (4 - Math.abs(down)) * (5 - Math.abs(across)))
    places.add(`${down} ${across}`)
  }
  // the bright pixel leaves the picture when it moves two up or two to the left
  expect(places.size).toBe(4 * 4)
  expect(shiftedCrop(picture, 0, random)).toEqual(picture)
  expect(shiftedCrop(picture, 1000, seededRandom(1)).values.every((value) => value === 0)).toBe(true)
})
