import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../src/base/random.js'
import { colorJitter } from '../../../src/image/augment/color-jitter.js'
import { brightness, contrast, saturation, sharpness } from '../../../src/image/augment/enhance.js'
import { rotate, shearX, shearY, translateX, translateY } from '../../../src/image/augment/geometry.js'
import { autoContrast, equalize } from '../../../src/image/augment/histogram-tones.js'
import {
  applyOperation,
  randAugment,
  randAugmentOperations,
} from '../../../src/image/augment/rand-augment.js'
import { invert, posterize, solarize, solarizeAdd } from '../../../src/image/augment/tones.js'
import type { Pixels } from '../../../src/image/pixels.js'

const fill = [124, 116, 104] as const

/** Noise that every operation changes: its contrast can be stretched, and a row is not like the next. */
const noise = ((random): Pixels => {
  const values = Uint8Array.from({ length: 24 * 20 * 3 }, () => 10 + 235 * random())
  return { width: 24, height: 20, values }
})(seededRandom(3))

/** What timm 1.0's level functions give for magnitudes 0, 9 and 10 of the increasing set; ± where a sign is drawn. */
const amounts: Readonly<
  Record<string, { apply: (pixels: Pixels, amount: number) => Pixels; at: readonly (readonly number[])[] }>
> = {
  AutoContrast: { apply: autoContrast, at: [[0], [0], [0]] },
  Equalize: { apply: equalize, at: [[0], [0], [0]] },
  Invert: { apply: invert, at: [[0], [0], [0]] },
  Rotate: { apply: (p, a) => rotate(p, a, fill), at: [[0], [27, -27], [30, -30]] },
  PosterizeIncreasing: { apply: posterize, at: [[4], [1], [0]] },
  SolarizeIncreasing: { apply: solarize, at: [[256], [26], [0]] },
  SolarizeAdd: { apply: solarizeAdd, at: [[0], [99], [110]] },
  ColorIncreasing: { apply: saturation, at: [[1], [1.81, 0.19], [1.9, 0.1]] },
  ContrastIncreasing: { apply: contrast, at: [[1], [1.81, 0.19], [1.9, 0.1]] },
  BrightnessIncreasing: { apply: brightness, at: [[1], [1.81, 0.19], [1.9, 0.1]] },
  SharpnessIncreasing: { apply: sharpness, at: [[1], [1.81, 0.19], [1.9, 0.1]] },
  ShearX: { apply: (p, a) => shearX(p, a, fill), at: [[0], [0.27, -0.27], [0.3, -0.3]] },
  ShearY: { apply: (p, a) => shearY(p, a, fill), at: [[0], [0.27, -0.27], [0.3, -0.3]] },
  TranslateXRel: { apply: (p, a) => translateX(p, a, fill), at: [[0], [0.405, -0.405], [0.45, -0.45]] },
  TranslateYRel: { apply: (p, a) => translateY(p, a, fill), at: [[0], [0.405, -0.405], [0.45, -0.45]] },
}

/** A picture as text, to compare and to count. */
const textOf = ({ values }: Pixels) => Buffer.from(values).toString('base64')

test('has the 15 operations of timm’s rand-…-inc1', () => {
  expect(randAugmentOperations).toEqual(Object.keys(amounts))
})

describe.each(Object.entries(amounts))('%s', (name, { apply, at }) => {
  test.each([0, 9, 10])('does what timm does at magnitude %d', (magnitude) => {
    const random = seededRandom(1)
    const made = new Set(
      Array.from({ length: 30 }, () => textOf(applyOperation(noise, { name, magnitude, fill }, random))),
    )
    const expected = at[[0, 9, 10].indexOf(magnitude)] ?? []
    expect(made).toEqual(new Set(expected.map((amount) => textOf(apply(noise, amount)))))
  })

  test('stays within 0 … 10', () => {
    const made = (magnitude: number) =>
      textOf(applyOperation(noise, { name, magnitude, fill }, seededRandom(1)))
    expect(made(-3)).toBe(made(0))
    expect(made(14)).toBe(made(10))
  })
})

describe('RandAugment', () => {
  const deit = { layers: 2, magnitude: 9, magnitudeStd: 0.5, probability: 0.5, fill }

  test('a seed decides, and a quarter of the pictures is left alone', () => {
    let unchanged = 0
    for (let seed = 0; seed < 2000; seed++) {
      const made = textOf(randAugment(noise, deit, seededRandom(seed)))
      if (seed < 20) expect(textOf(randAugment(noise, deit, seededRandom(seed)))).toBe(made)
      if (made === textOf(noise)) unchanged += 1
    }
    // four standard errors are 0.04; pairs that undo each other (Invert twice) are rare
    expect(Math.abs(unchanged / 2000 - 0.25)).toBeLessThan(0.04)
  })

  test('each operation comes equally often', () => {
    const random = seededRandom(4)
    const options = { ...deit, layers: 1, magnitudeStd: 0, probability: 1 }
    const results = new Map(
      Object.entries(amounts).flatMap(([name, { apply, at }]) =>
        (at[1] ?? []).map((amount) => [textOf(apply(noise, amount)), name] as const),
      ),
    )
    const counts = new Map<string, number>()
    for (let i = 0; i < 3000; i++) {
      const name = results.get(textOf(randAugment(noise, options, random))) ?? 'none of them'
      counts.set(name, (counts.get(name) ?? 0) + 1)
    }
    expect([...counts.keys()].sort()).toEqual([...randAugmentOperations].sort())
    // 200 each, standard deviation 14
    for (const count of counts.values()) expect(Math.abs(count - 200)).toBeLessThan(60)
  })

  test('magnitudes differ where their deviation is above 0', () => {
    const turns = (magnitudeStd: number) => {
      const random = seededRandom(5)
      const options = { ...deit, layers: 1, probability: 1, magnitudeStd }
      return new Set(Array.from({ length: 300 }, () => textOf(randAugment(noise, options, random)))).size
    }
    expect(turns(0)).toBe(Object.values(amounts).reduce((sum, { at }) => sum + (at[1]?.length ?? 0), 0))
    expect(turns(0.5)).toBeGreaterThan(100)
  })

  test('no layers and no probability leave the picture alone', () => {
    for (const nothing of [{ layers: 0 }, { probability: 0 }]) {
      expect(randAugment(noise, { ...deit, ...nothing }, seededRandom(1))).toBe(noise)
    }
  })
})

describe('colour jitter', () => {
  test('draws its factors between 1 − reach and 1 + reach', () => {
    const grey = { width: 1, height: 1, values: Uint8Array.of(100, 100, 100) }
    const random = seededRandom(2)
    const bright = Array.from(
      { length: 500 },
      () => colorJitter(grey, { brightness: 0.4, contrast: 0, saturation: 0 }, random).values[0] ?? 0,
    )
    expect(Math.min(...bright)).toBeGreaterThanOrEqual(60)
    expect(Math.min(...bright)).toBeLessThan(64)
    expect(Math.max(...bright)).toBeLessThanOrEqual(140)
    expect(Math.max(...bright)).toBeGreaterThan(136)
  })

  test('a reach above 1 never makes a negative factor', () => {
    const white = { width: 1, height: 1, values: Uint8Array.of(255, 255, 255) }
    const random = seededRandom(2)
    const values = Array.from(
      { length: 200 },
      () => colorJitter(white, { brightness: 3, contrast: 0, saturation: 0 }, random).values[0],
    )
    expect(values).toContain(255)
  })

  test('the three come in any order, and reaches of 0 do nothing', () => {
    const made = new Set(
      Array.from({ length: 60 }, (_, seed) => {
        // the largest numbers below 1: all factors are 2 whatever the order
        let draws = 0
        const order = seededRandom(seed)
        const random = () => (draws++ % 2 === 0 ? order() : 1 - 2 ** -32)
        return textOf(colorJitter(noise, { brightness: 1, contrast: 1, saturation: 1 }, random))
      }),
    )
    expect(made.size).toBe(6)
    const nothing = { brightness: 0, contrast: 0, saturation: 0 }
    expect(colorJitter(noise, nothing, seededRandom(1))).toBe(noise)
  })
})
