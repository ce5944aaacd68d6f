import fc from 'fast-check'
import { expect, test } from 'vitest'
import { outerBox } from '../../src/segmentation/restored-mask.js'
import { decodeRle, encodeRle, rleArea, rleBox, rleFromText, rleText } from '../../src/segmentation/rle.js'
import { intersectionArea, maskIou, mergeRles } from '../../src/segmentation/rle-overlap.js'
import { someMask } from './masks-of.js'

test('a mask comes back from its runs and from their text, its area and box are those of its pixels', () => {
  fc.assert(
    fc.property(someMask, (mask) => {
      const rle = encodeRle(mask)
      expect(decodeRle(rle)).toEqual(mask)
      expect(rleFromText(rleText(rle), rle.size)).toEqual(rle)
      expect(rleArea(rle)).toBe(mask.values.reduce((sum, value) => sum + value, 0))
      const [x0, y0, x1, y1] = outerBox(mask)
      expect(rleBox(rle)).toEqual(rleArea(rle) === 0 ? [0, 0, 0, 0] : [x0, y0, x1 - x0 + 1, y1 - y0 + 1])
    }),
  )
})

test('any lengths come back from their text, long ones too', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 40_000_000 }), { minLength: 1, maxLength: 9 }),
      (counts) => {
        const size = [1, counts.reduce((a, b) => a + b, 0)] as const
        expect(rleFromText(rleText({ size, counts }), size).counts).toEqual(counts)
      },
    ),
  )
})

test('union and intersection are those of the pixels; a mask overlaps itself wholly', () => {
  const pair = someMask.chain((a) =>
    fc
      .array(fc.integer({ min: 0, max: 1 }), { minLength: a.values.length, maxLength: a.values.length })
      .map((bits) => ({
        a,
        b: { ...a, values: Uint8Array.from(bits) },
      })),
  )
  fc.assert(
    fc.property(pair, ({ a, b }) => {
      const [ra, rb] = [encodeRle(a), encodeRle(b)]
      const pixels = (join: (x: number, y: number) => number) => ({
        ...a,
        values: a.values.map((value, at) => join(value, b.values[at] ?? 0)),
      })
      const [union, shared] = [pixels((x, y) => x | y), pixels((x, y) => x & y)].map(encodeRle)
      expect(mergeRles([ra, rb], 'union')).toEqual(union)
      expect(mergeRles([ra, rb], 'intersection')).toEqual(shared)
      expect(intersectionArea(ra, rb)).toBe(shared && rleArea(shared))
      expect(maskIou(ra, ra)).toBe(rleArea(ra) === 0 ? 0 : 1)
      expect(maskIou(ra, rb)).toBe(maskIou(rb, ra))
    }),
  )
})

test.each([
  ['ends within a number', 'o'],
  ['has a letter that is no digit', '1 2'],
  ['has too long a number', 'ooooooooo0'],
  ['fills another picture', '05'],
  ['has a negative length', '0A'],
])('a text that %s is refused', (_, text) => {
  expect(() => rleFromText(text, [2, 2])).toThrow(expect.objectContaining({ code: 'BAD_DATA' }))
})
