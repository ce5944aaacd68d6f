import fc from 'fast-check'
import { expect, test } from 'vitest'
import { axisTaps, scaled } from '../../src/segmentation/logits-scale.js'
import { restoreMask } from '../../src/segmentation/restored-mask.js'

const from = { height: 8, width: 6 }

test('A mask, its area, box and stability are those of all logits, though most are never computed', () => {
  const side = fc.integer({ min: 1, max: 60 })
  // mostly far from all thresholds, as masks are
  const logit = fc.oneof(
    fc.constantFrom(-9, 9),
    fc.float({ min: -2, max: 2, noNaN: true, noDefaultInfinity: true }),
  )
  fc.assert(
    fc.property(
      fc.constantFrom('bilinear' as const, 'bicubic' as const),
      side,
      side,
      fc.array(logit, { minLength: 48, maxLength: 48 }),
      (interpolation, height, width, numbers) => {
        const logits = Float32Array.from(numbers)
        const scale = {
          rows: axisTaps(interpolation, { from: from.height, to: height }),
          columns: axisTaps(interpolation, { from: from.width, to: width }),
        }
        const all = scaled(logits, from, scale)
        // a pixel this close to a threshold may fall on either side of it in float32
        fc.pre(all.every((value) => [-1, 0, 1].every((threshold) => Math.abs(value - threshold) > 1e-5)))
        const { mask, area, box, stability } = restoreMask(logits, from, scale)
        const meant = [...all].map((value) => Number(value > 0))
        expect([...mask.values]).toEqual(meant)
        expect(area).toBe(meant.filter(Boolean).length)
        const above = (threshold: number) => all.filter((value) => value > threshold).length
        expect(stability).toBe(above(-1) === 0 ? 0 : above(1) / above(-1))
        const places = meant.flatMap((value, at) => (value ? [[at % width, Math.floor(at / width)]] : []))
        const [xs, ys] = [places.map(([x = 0]) => x), places.map(([, y = 0]) => y)]
        expect(box).toEqual(
          area === 0 ? [0, 0, 0, 0] : [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)],
        )
      },
    ),
    { numRuns: 300 },
  )
})
