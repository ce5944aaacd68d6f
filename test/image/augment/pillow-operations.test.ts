import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../src/base/random.js'
import { brightness, contrast, saturation, sharpness } from '../../../src/image/augment/enhance.js'
import { rotate, shearX, shearY, translateX, translateY } from '../../../src/image/augment/geometry.js'
import { autoContrast, equalize } from '../../../src/image/augment/histogram-tones.js'
import { invert, posterize, solarize, solarizeAdd } from '../../../src/image/augment/tones.js'
import type { Pixels } from '../../../src/image/pixels.js'
import { pythonWith } from '../../support/python.js'
import { constantPixels, fromBase64, readJson } from '../fixtures.js'

const fixture = (name: string) => fileURLToPath(new URL(`../../fixtures/augment/${name}`, import.meta.url))

const fill = [124, 116, 104] as const

const operations: Record<string, (pixels: Pixels, amount: number) => Pixels> = {
  autoContrast,
  equalize,
  invert,
  rotate: (pixels, degrees) => rotate(pixels, degrees, fill),
  posterize,
  solarize,
  solarizeAdd,
  saturation,
  contrast,
  brightness,
  sharpness,
  shearX: (pixels, factor) => shearX(pixels, factor, fill),
  shearY: (pixels, factor) => shearY(pixels, factor, fill),
  translateX: (pixels, share) => translateX(pixels, share, fill),
  translateY: (pixels, share) => translateY(pixels, share, fill),
}

interface EncodedPicture {
  readonly width: number
  readonly height: number
  readonly rgb: string
}

interface Case {
  readonly operation: string
  readonly amount: number
  readonly pixels: Pixels
}

function pixelsOf({ width, height, rgb }: EncodedPicture): Pixels {
  return { width, height, values: fromBase64(rgb) }
}

function expectSame({ operation, amount, pixels }: Case, expected: string): void {
  const made = operations[operation]?.(pixels, amount)
  const what = `${operation} ${amount} of ${pixels.width} × ${pixels.height}`
  expect(made && Buffer.compare(made.values, fromBase64(expected)), what).toBe(0)
}

describe('each operation gives Pillow’s bytes', () => {
  const { pictures, results } = readJson<{
    pictures: EncodedPicture[]
    results: { picture: number; operation: string; amount: number; rgb: string }[]
  }>(fixture('operations.json'))

  test.each(Object.keys(operations))('%s', (name) => {
    const own = results.filter(({ operation }) => operation === name)
    expect(own.length).toBeGreaterThanOrEqual(pictures.length)
    for (const { picture, operation, amount, rgb } of own) {
      expectSame({ operation, amount, pixels: pixelsOf(pictures[picture] as EncodedPicture) }, rgb)
    }
  })
})

const python = pythonWith('PIL')

/** The largest and smallest amounts that RandAugment draws, and numbers between them. */
const ranges: Record<string, readonly [number, number]> = {
  rotate: [-30, 30],
  posterize: [0, 4],
  solarize: [0, 256],
  solarizeAdd: [0, 110],
  saturation: [0.1, 1.9],
  contrast: [0.1, 1.9],
  brightness: [0.1, 1.9],
  sharpness: [0.1, 1.9],
  shearX: [-0.3, 0.3],
  shearY: [-0.3, 0.3],
  translateX: [-0.45, 0.45],
  translateY: [-0.45, 0.45],
}
const whole = ['posterize', 'solarize', 'solarizeAdd']

test.skipIf(!python)(
  `pictures and amounts drawn at random, against the Pillow that is here${python ? '' : ' (skipped: no Python with PIL)'}`,
  () => {
    const random = seededRandom(11)
    const below = (bound: number) => Math.floor(random() * bound)
    const anyPicture = (): Pixels => {
      const [width, height] = [1 + below(40), 1 + below(40)]
      const [least, span] = [below(200), 1 + below(256)]
      const values = Uint8Array.from({ length: width * height * 3 }, () => least + below(span))
      return random() < 0.1 ? constantPixels(width, height, [below(256), 7, 255]) : { width, height, values }
    }
    const cases = Object.keys(operations).flatMap((operation) =>
      Array.from({ length: 40 }, (): Case => {
        const [least, most] = ranges[operation] ?? [0, 0]
        const amount = least + random() * (most - least)
        return {
          operation,
          amount: whole.includes(operation) ? Math.trunc(amount) : amount,
          pixels: anyPicture(),
        }
      }),
    )
    const input = cases.map(({ operation, amount, pixels: { width, height, values } }) => ({
      ...{ operation, amount, width, height },
      rgb: Buffer.from(values).toString('base64'),
    }))
    const answer = spawnSync(python ?? '', [fixture('pillow_operations.py')], {
      input: JSON.stringify(input),
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    })
    expect(answer.stderr).toBe('')
    const expected = JSON.parse(answer.stdout) as string[]
    expect(expected.length).toBe(cases.length)
    for (const [index, one] of cases.entries()) expectSame(one, expected[index] as string)
  },
)
