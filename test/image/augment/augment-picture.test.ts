import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { seededRandom } from '../../../src/base/random.js'
import { augmentPicture } from '../../../src/image/augment/augment-picture.js'
import {
  type AugmentationInput,
  augmentationNames,
  augmentationSchema,
  parseAugmentation,
} from '../../../src/image/augment/augmentation.js'
import type { Pixels } from '../../../src/image/pixels.js'
import { normalise, preprocess } from '../../../src/image/preprocessing.js'
import { mirrored, resizedCrop } from '../../../src/image/random-crop.js'

const preprocessing = {
  height: 16,
  width: 20,
  cropRatio: 0.875,
  cropMode: 'center',
  filter: 'bicubic',
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
} as const

function noise(width: number, height: number): Pixels {
  const random = seededRandom(width)
  return { width, height, values: Uint8Array.from({ length: width * height * 3 }, () => 256 * random()) }
}

function augmented(picture: Pixels, input: AugmentationInput, seed: number): Float32Array {
  return augmentPicture(
    picture,
    { preprocessing, augmentation: parseAugmentation(input) },
    seededRandom(seed),
  )
}

const picture = noise(40, 30)

describe('augmentation', () => {
  test('none is what evaluation sees', () => {
    expect(augmented(picture, 'none', 1)).toEqual(preprocess(picture, preprocessing))
  })

  test('crop-flip is a random crop, every second one in a mirror', () => {
    let mirrors = 0
    for (let seed = 0; seed < 200; seed++) {
      const made = augmented(picture, 'crop-flip', seed)
      const plain = resizedCrop(picture, preprocessing, seededRandom(seed))
      const isMirror = !Buffer.from(made.buffer).equals(Buffer.from(normalise(plain, preprocessing).buffer))
      if (isMirror) expect(made).toEqual(normalise(mirrored(plain), preprocessing))
      if (isMirror) mirrors += 1
    }
    expect(mirrors).toBeGreaterThan(70)
    expect(mirrors).toBeLessThan(130)
  })

  test('deit draws more than crops: a seed decides, another seed gives another picture', () => {
    const made = Array.from({ length: 30 }, (_, seed) => augmented(picture, 'deit', seed))
    for (const [seed, input] of made.entries()) {
      expect(augmented(picture, 'deit', seed)).toEqual(input)
      expect(input.length).toBe(3 * 16 * 20)
      expect(input.every(Number.isFinite)).toBe(true)
    }
    expect(new Set(made.map((input) => input.join())).size).toBe(30)
    const changed = made.filter(
      (input, seed) => input.join() !== augmented(picture, 'crop-flip', seed).join(),
    )
    // RandAugment leaves a quarter alone, erasing three quarters
    expect(changed.length).toBeGreaterThan(15)
  })

  test('every step does something alone', () => {
    const steps: AugmentationInput[] = [
      { crop: {} },
      { crop: { padding: 4 } },
      { flip: true },
      { randAugment: { probability: 1 } },
      { colorJitter: { brightness: 0.4, contrast: 0.4, saturation: 0.4 } },
      { erasing: { probability: 1 } },
    ]
    const plain = augmented(picture, 'none', 0)
    for (const step of steps) {
      const changed = [0, 1, 2, 3, 4, 5].filter(
        (seed) => augmented(picture, step, seed).join() !== plain.join(),
      )
      expect(changed.length, JSON.stringify(step)).toBeGreaterThan(0)
    }
  })

  test.each([
    ['one pixel', noise(1, 1)],
    ['a line', noise(1, 300)],
    ['a row', noise(300, 1)],
  ])('%s can be augmented', (_, tiny) => {
    for (const name of [...augmentationNames, { crop: { padding: 40 } } as const]) {
      for (let seed = 0; seed < 20; seed++) {
        expect(augmented(tiny, name, seed).every(Number.isFinite)).toBe(true)
      }
    }
  })
})

describe('what a recipe can say', () => {
  test('names stand for what they do; deit is DeiT’s table', () => {
    expect(parseAugmentation('crop-flip')).toMatchObject({
      crop: { scale: [0.08, 1], ratio: [3 / 4, 4 / 3] },
      flip: true,
      labelSmoothing: 0,
    })
    expect(parseAugmentation('deit')).toEqual({
      crop: { scale: [0.08, 1], ratio: [3 / 4, 4 / 3] },
      flip: true,
      randAugment: { layers: 2, magnitude: 9, magnitudeStd: 0.5, probability: 0.5 },
      erasing: { probability: 0.25, mode: 'pixel' },
      mixup: { alpha: 0.8 },
      cutmix: { alpha: 1 },
      mixProbability: 1,
      switchProbability: 0.5,
      labelSmoothing: 0.1,
    })
  })

  test('what was parsed can be parsed again', () => {
    for (const name of augmentationNames) {
      expect(parseAugmentation(parseAugmentation(name))).toEqual(parseAugmentation(name))
    }
  })

  test('it is a part of larger schemas', () => {
    const recipe = z.object({ augmentation: augmentationSchema })
    expect(recipe.parse({ augmentation: { flip: true } }).augmentation).toMatchObject({
      flip: true,
      crop: false,
    })
    expect(recipe.safeParse({ augmentation: 'diet' }).error?.issues[0]?.path).toEqual(['augmentation'])
  })

  test.each([
    [
      'diet',
      'no augmentation is called "diet"; expected none, crop-flip, deit or an object. Did you mean "deit"?',
    ],
    [{ randAugement: {} }, 'Unrecognized key: "randAugement"'],
    [{ crop: { scale: [1, 0.08] } }, 'crop.scale: expected the lower bound first'],
    [{ crop: true }, 'crop: expected { scale, ratio }, { padding } or false'],
    [{ randAugment: { magnitude: 11 } }, 'randAugment.magnitude: Too big'],
    [{ mixup: { alpha: 0 } }, 'mixup.alpha: Too small'],
    [{ labelSmoothing: 1.1 }, 'labelSmoothing: Too big'],
    [{ erasing: { mode: 'noise' } }, 'erasing.mode: Invalid option'],
    [7, 'Invalid input: expected object'],
  ])('%j is refused with its reason', (value, reason) => {
    expect(() => parseAugmentation(value, 'recipe.ts')).toThrow(
      expect.objectContaining({ code: 'BAD_OPTION', message: expect.stringContaining(reason) }),
    )
  })
})
