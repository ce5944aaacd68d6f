import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../../src/base/random.js'
import { augmentBatch } from '../../../src/image/augment/augment-batch.js'
import { parseAugmentation } from '../../../src/image/augment/augmentation.js'
import { type MixingOptions, mixBatch, type PictureBatch } from '../../../src/image/augment/mixing.js'
import { softTargets } from '../../../src/image/augment/soft-targets.js'
import { expectClose } from '../../support/expect-close.js'

const size = { channels: 3, height: 12, width: 16 }
const elements = 3 * 12 * 16

/** Each picture's elements are its number, so that a mix tells what it is made of. */
function batchOf(count: number): PictureBatch {
  return {
    ...size,
    pixels: Float32Array.from({ length: count * elements }, (_, i) => Math.floor(i / elements)),
  }
}

const both: MixingOptions = {
  mixup: { alpha: 0.8 },
  cutmix: { alpha: 1 },
  mixProbability: 1,
  switchProbability: 0.5,
}

function mixed(count: number, seed: number, options: Partial<MixingOptions> = {}) {
  const batch = batchOf(count)
  const share = mixBatch(batch, { ...both, ...options }, seededRandom(seed))
  const pictures = Array.from({ length: count }, (_, i) => [
    ...batch.pixels.subarray(i * elements, (i + 1) * elements),
  ])
  return { share, pictures }
}

describe('mixup', () => {
  test('joins the first with the last by the share that it returns', () => {
    for (let seed = 0; seed < 20; seed++) {
      const { share, pictures } = mixed(4, seed, { cutmix: undefined })
      expect(share).toBeGreaterThan(0)
      expect(share).toBeLessThan(1)
      for (const [own, picture] of pictures.entries()) {
        const expected = share * own + (1 - share) * (3 - own)
        // one rounding to float32 of numbers up to 3
        expectClose(picture, new Array<number>(elements).fill(expected), { rtol: 1e-7, atol: 1e-7 })
      }
    }
  })
})

describe('cutmix', () => {
  test('exchanges one rectangle, whose area the share that it returns tells', () => {
    const shares = new Set<number>()
    for (let seed = 0; seed < 60; seed++) {
      const { share, pictures } = mixed(4, seed, { mixup: undefined })
      shares.add(share)
      for (const [own, picture] of pictures.entries()) {
        const foreign = picture.flatMap((value, i) => (value === own ? [] : [i]))
        expect(foreign.every((i) => picture[i] === 3 - own)).toBe(true)
        expect(share).toBeCloseTo(1 - foreign.length / elements, 12)
        const rows = new Set(foreign.map((i) => Math.floor(i / 16) % 12))
        const columns = new Set(foreign.map((i) => i % 16))
        expect(foreign.length).toBe(3 * rows.size * columns.size)
      }
    }
    expect(shares.size).toBeGreaterThan(20)
  })
})

describe('batches', () => {
  test('half of them are mixed one way, half the other; and none at probability 0', () => {
    let cut = 0
    for (let seed = 0; seed < 1000; seed++) {
      const { pictures } = mixed(2, seed)
      // mixup leaves no whole number, but where its share is 0 or 1
      if (pictures[0]?.every((value) => Number.isInteger(value))) cut += 1
    }
    // four standard errors are 63
    expect(Math.abs(cut - 500)).toBeLessThan(70)
    expect(mixed(4, 1, { mixProbability: 0 })).toMatchObject({ share: 1 })
    expect(mixed(4, 1, { mixup: undefined, cutmix: undefined })).toMatchObject({ share: 1 })
  })

  test('of an odd number the one in the middle stays as it is, and one alone', () => {
    expect(mixed(3, 2).pictures[1]).toEqual(new Array(elements).fill(1))
    expect(mixed(1, 2).pictures[0]).toEqual(new Array(elements).fill(0))
  })

  test('a seed decides', () => {
    expect(mixed(4, 9)).toEqual(mixed(4, 9))
    expect(mixed(4, 9)).not.toEqual(mixed(4, 10))
  })
})

describe('soft targets', () => {
  test('are what timm’s mixup_target gives', () => {
    // off 0.1/4 = 0.025, on 0.925; 0.7 of its own and 0.3 of the partner's
    const targets = softTargets([[0], [2], [3]], { classes: 4, labelSmoothing: 0.1, share: 0.7 })
    const expected = [
      [0.655, 0.025, 0.025, 0.295],
      [0.025, 0.025, 0.925, 0.025],
      [0.295, 0.025, 0.025, 0.655],
    ]
    expectClose(targets, expected.flat(), { rtol: 1e-6, atol: 1e-7 })
  })

  test('are one-hot without smoothing and mixing', () => {
    const targets = softTargets([[1], [0]], { classes: 2, labelSmoothing: 0, share: 1 })
    expect([...targets]).toEqual([0, 1, 1, 0])
  })

  test('of several labels each counts whole, of none none, and partners’ come in by their share', () => {
    const targets = softTargets([[0, 2], []], { classes: 3, labelSmoothing: 0, share: 0.75 })
    expectClose(targets, [0.75, 0, 0.75, 0.25, 0, 0.25], { atol: 1e-7 })
  })

  test('a batch’s targets follow its share; each row sums to 1; without labels there are none', () => {
    const deit = parseAugmentation('deit')
    for (let seed = 0; seed < 10; seed++) {
      const labels = [[4], [1], [0], [2]]
      const targets = augmentBatch({ ...batchOf(4), labels, classes: 5 }, deit, seededRandom(seed))
      const share = mixBatch(batchOf(4), deit, seededRandom(seed))
      expectClose(targets ?? [], softTargets(labels, { classes: 5, labelSmoothing: 0.1, share }), {
        rtol: 0,
        atol: 0,
      })
      for (let row = 0; row < 4; row++) {
        const sum = targets?.subarray(5 * row, 5 * row + 5).reduce((a, b) => a + b, 0)
        expect(sum).toBeCloseTo(1, 6)
      }
    }
    expect(augmentBatch({ ...batchOf(2), classes: 5 }, deit, seededRandom(1))).toBeUndefined()
  })
})
