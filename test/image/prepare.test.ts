import { readFile } from 'node:fs/promises'
import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import { decodeImage, nodeDecoder } from '../../src/image/node/decode.js'
import type { Pixels } from '../../src/image/pixels.js'
import { preparePicture } from '../../src/image/prepare.js'
import { preprocess, resizeAndCrop } from '../../src/image/preprocessing.js'
import { defaultPreprocessing } from '../../src/image/preprocessing-config.js'
import { fixture } from './fixtures.js'

const photograph = 'examples/hummingbird.jpg'
// No model is this small, but the pictures stay small too.
const small = { ...defaultPreprocessing, height: 32, width: 32 }
let large = Buffer.alloc(0)

beforeAll(async () => {
  large = await sharp(photograph).resize(1203, 901, { fit: 'fill' }).jpeg({ quality: 95 }).toBuffer()
})

function differences(a: Pixels, b: Pixels): { mean: number; max: number } {
  const steps = Array.from(a.values, (value, i) => Math.abs(value - (b.values[i] as number)))
  return { mean: steps.reduce((sum, step) => sum + step, 0) / steps.length, max: Math.max(...steps) }
}

describe('preparing a picture', () => {
  test('gives the bits of timm for pictures of ordinary size', async () => {
    const { pixels, input } = await preparePicture(photograph, defaultPreprocessing, { decoder: nodeDecoder })
    const decoded = await decodeImage(photograph)
    expect(pixels).toEqual(resizeAndCrop(decoded, defaultPreprocessing))
    expect(input).toEqual(preprocess(decoded, defaultPreprocessing))
  })

  test('gives the bits of timm for large pictures where that is asked for', async () => {
    const { pixels } = await preparePicture(large, small, { decoder: nodeDecoder, exact: true })
    expect(pixels).toEqual(resizeAndCrop(await decodeImage(large), small))
  })

  test('moves grey levels of large JPEGs hardly', async () => {
    const exact = await preparePicture(large, small, { decoder: nodeDecoder, exact: true })
    const reduced = await preparePicture(large, small, { decoder: nodeDecoder })
    const { mean, max } = differences(exact.pixels, reduced.pixels)
    // Not zero: else the reduced way wasn't taken. Most differs at hard edges, where another filter comes first.
    expect(mean).toBeGreaterThan(0)
    expect(mean).toBeLessThan(1)
    expect(max).toBeLessThanOrEqual(16)
  })

  test('stops when its caller aborts', async () => {
    const aborted = preparePicture(large, small, { decoder: nodeDecoder, signal: AbortSignal.abort() })
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' })
  })
})

describe('decoding a JPEG no larger than needed', () => {
  const atLeast = { width: 150, height: 150 }

  test('gives a fifth of the size', async () => {
    const { width, height, values } = await decodeImage(large, { atLeast })
    expect([width, height, values.length]).toEqual([240, 180, 240 * 180 * 3])
  })

  test.each([1, 2, 3, 4, 5, 6, 7, 8])('turns it upright by EXIF orientation %d', async (orientation) => {
    const turned = await sharp(large).withMetadata({ orientation }).jpeg({ quality: 95 }).toBuffer()
    const reduced = await decodeImage(turned, { atLeast })
    const exact = await decodeImage(turned)
    expect([reduced.width, reduced.height]).toEqual(orientation < 5 ? [240, 180] : [180, 240])
    const { mean } = differences(resizeAndCrop(exact, small), resizeAndCrop(reduced, small))
    expect(mean).toBeLessThan(1)
  })

  test('keeps grey and CMYK what they are', async () => {
    for (const space of ['b-w', 'cmyk']) {
      const bytes = await sharp(large).toColourspace(space).jpeg({ quality: 95 }).toBuffer()
      const reduced = await decodeImage(bytes, { atLeast })
      expect([reduced.width, reduced.height]).toEqual([240, 180])
      const exact = await decodeImage(bytes)
      const { mean } = differences(resizeAndCrop(exact, small), resizeAndCrop(reduced, small))
      expect(mean, space).toBeLessThan(1)
    }
  })

  test('still refuses one that is cut off', async () => {
    const cut = large.subarray(0, large.length / 2)
    await expect(decodeImage(cut, { atLeast })).rejects.toMatchObject({ code: 'BAD_IMAGE' })
  })

  test('leaves other formats whole, whose alpha must be dropped before anything is mixed', async () => {
    const bytes = await readFile(fixture('rgba.png'))
    expect(await decodeImage(bytes, { atLeast: { width: 1, height: 1 } })).toEqual(await decodeImage(bytes))
  })
})
