import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type FilterName, filterNames } from '../../src/image/filters.js'
import { decodeImage } from '../../src/image/node/decode.js'
import { crop, resize } from '../../src/image/resize.js'
import { hasSharedData, shared, withoutSharedData } from '../support/shared-data.js'
import { anyPixels, constantPixels, fixture, fromBase64, readJson, transpose } from './fixtures.js'

interface GoldenCase {
  readonly in: string
  readonly out: string
  readonly filter: FilterName
  readonly width: number
  readonly height: number
  readonly sha256_rgb: string
}

const anyFilter = fc.constantFrom(...filterNames)
const anySide = fc.integer({ min: 1, max: 50 })

describe('resizing gives the bytes of Pillow 9.4', () => {
  test.each([
    'noise_47x61__bicubic_20w23h',
    'noise_47x61__bicubic_101w53h',
    'noise_47x61__bilinear_37w29h',
    'shapes_150x113__bilinear_37w75h',
    'shapes_150x113__bicubic_37w29h',
  ])('%s', async (name) => {
    const [picture = '', target = ''] = name.split('__')
    const filter = filterNames.find((known) => target.startsWith(known)) ?? 'bicubic'
    const expected = await decodeImage(fixture(`${name}.png`))
    const { width, height } = expected
    const resized = resize(await decodeImage(fixture(`${picture}.png`)), { width, height, filter })
    expect(Buffer.compare(resized.values, expected.values)).toBe(0)
  })

  test.each(Object.entries(readJson<Record<string, string>>(fixture('lanczos.json'))))(
    'lanczos to %s',
    async (size, expected) => {
      const [width = 0, height = 0] = size.split('x').map(Number)
      const noise = await decodeImage(fixture('noise_47x61.png'))
      const resized = resize(noise, { width, height, filter: 'lanczos' })
      expect(Buffer.compare(resized.values, fromBase64(expected))).toBe(0)
    },
  )

  test.skipIf(!hasSharedData)(`all 48 golden files${withoutSharedData}`, async () => {
    const folder = shared('golden/resize/')
    const { cases } = readJson<{ cases: GoldenCase[] }>(`${folder}golden.json`)
    expect(cases).toHaveLength(48)
    for (const golden of cases) {
      const resized = resize(await decodeImage(`${folder}${golden.in}`), golden)
      const expected = await decodeImage(`${folder}${golden.out}`)
      expect(Buffer.compare(resized.values, expected.values), golden.out).toBe(0)
      expect(createHash('sha256').update(resized.values).digest('hex'), golden.out).toBe(golden.sha256_rgb)
    }
  })
})

describe('resizing', () => {
  test('to the same size is the identity', () => {
    fc.assert(
      fc.property(anyPixels, anyFilter, (pixels, filter) => {
        const { width, height } = pixels
        expect(resize(pixels, { width, height, filter })).toEqual(pixels)
      }),
    )
  })

  test('leaves a constant picture constant', () => {
    const anyColour = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255))
    fc.assert(
      fc.property(
        anySide,
        anySide,
        anySide,
        anySide,
        anyColour,
        anyFilter,
        (w, h, width, height, rgb, filter) => {
          const resized = resize(constantPixels(w, h, rgb), { width, height, filter })
          expect(resized).toEqual(constantPixels(width, height, rgb))
        },
      ),
    )
  })

  test('of one axis commutes with transposing', () => {
    // Both axes at once don't: columns come first, and the rounding between the passes is seen.
    fc.assert(
      fc.property(anyPixels, anySide, anyFilter, (pixels, width, filter) => {
        const { height } = pixels
        const resized = resize(pixels, { width, height, filter })
        const turned = resize(transpose(pixels), { width: height, height: width, filter })
        expect(transpose(turned)).toEqual(resized)
      }),
    )
  })

  test('only a region gives the bytes of the whole result there', () => {
    const anyShare = fc.double({ min: 0, max: 1, noNaN: true })
    fc.assert(
      fc.property(
        anyPixels,
        anySide,
        anySide,
        fc.tuple(anyShare, anyShare, anyShare, anyShare),
        anyFilter,
        (pixels, width, height, [x, y, w, h], filter) => {
          const left = Math.floor(x * (width - 1))
          const top = Math.floor(y * (height - 1))
          const region = {
            left,
            top,
            width: 1 + Math.floor(w * (width - left - 1)),
            height: 1 + Math.floor(h * (height - top - 1)),
          }
          const whole = resize(pixels, { width, height, filter })
          expect(resize(pixels, { width, height, filter, region })).toEqual(crop(whole, region))
        },
      ),
    )
  })

  test('never leaves the memory of one channel for another', () => {
    const red = constantPixels(9, 9, [255, 0, 0])
    const { values } = resize(red, { width: 31, height: 4, filter: 'lanczos' })
    expect(values.every((value, i) => value === (i % 3 === 0 ? 255 : 0))).toBe(true)
  })
})
