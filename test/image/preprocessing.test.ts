import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { FilterName } from '../../src/image/filters.js'
import { decodeImage } from '../../src/image/node/decode.js'
import { type Preprocessing, preprocess, resizeAndCrop } from '../../src/image/preprocessing.js'
import { defaultPreprocessing } from '../../src/image/preprocessing-config.js'
import { hasSharedData, shared, withoutSharedData } from '../support/shared-data.js'
import { constantPixels, fixture, fromBase64, readJson } from './fixtures.js'

interface CroppedFixture extends Pick<Preprocessing, 'height' | 'width' | 'cropRatio' | 'cropMode'> {
  readonly picture: string
  readonly rgb: string
}

interface GoldenCase {
  readonly in: string
  readonly key: string
  readonly filter: FilterName
  readonly size: number
  readonly crop_pct: number
}

const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const

describe('resize and crop give the bytes of timm with Pillow', () => {
  test.each(readJson<CroppedFixture[]>(fixture('cropped.json')))(
    '$picture to $height × $width, $cropMode, ratio $cropRatio',
    async ({ picture, rgb, ...geometry }) => {
      const pixels = await decodeImage(fixture(picture))
      const cropped = resizeAndCrop(pixels, {
        ...geometry,
        filter: 'bicubic',
        mean: [0.485, 0.456, 0.5],
        std: imagenet.std,
      })
      expect(cropped.width).toBe(geometry.width)
      expect(cropped.height).toBe(geometry.height)
      expect(Buffer.compare(cropped.values, fromBase64(rgb))).toBe(0)
    },
  )
})

describe('preprocessing', () => {
  test('gives the float32 bits of torchvision', async () => {
    const pixels = await decodeImage(fixture('noise_47x61.png'))
    const input = preprocess(pixels, { ...defaultPreprocessing, ...imagenet, height: 32, width: 32 })
    // of f32/noise_47x61|bicubic|32|0.9 in golden/resize/preprocess.safetensors
    expect(createHash('sha256').update(new Uint8Array(input.buffer)).digest('hex')).toBe(
      'e197b3b3323e9f96f823055a3d81f971cf53e7b4a3f9b6be704125572f43378a',
    )
  })

  test.skipIf(!hasSharedData)(`equals every golden tensor bit by bit${withoutSharedData}`, async () => {
    const folder = shared('golden/resize/')
    const tensors = readTensors(`${folder}preprocess.safetensors`)
    const { preprocess: cases } = readJson<{ preprocess: GoldenCase[] }>(`${folder}golden.json`)
    for (const { in: picture, key, filter, size, crop_pct: cropRatio } of cases) {
      const pixels = await decodeImage(`${folder}${picture}`)
      const preprocessing: Preprocessing = {
        ...imagenet,
        height: size,
        width: size,
        cropRatio,
        cropMode: 'center',
        filter,
      }
      const bytes = resizeAndCrop(pixels, preprocessing).values
      expect(Buffer.compare(bytes, tensors.get(`u8/${key}`) as Uint8Array), key).toBe(0)
      const floats = tensors.get(`f32/${key}`)
      if (floats === undefined) continue
      const input = preprocess(pixels, preprocessing)
      expect(Buffer.compare(new Uint8Array(input.buffer), floats), key).toBe(0)
    }
    expect(cases.length).toBeGreaterThan(20)
  })

  test('puts the channels into planes: red first', () => {
    const plain = { ...defaultPreprocessing, height: 2, width: 2, mean: [0, 0, 0], std: [1, 1, 1] } as const
    const input = preprocess(constantPixels(5, 3, [255, 51, 0]), plain)
    const fifth = Math.fround(0.2)
    expect([...input]).toEqual([1, 1, 1, 1, fifth, fifth, fifth, fifth, 0, 0, 0, 0])
  })

  test('pads with black when the picture stays smaller than the crop', () => {
    const input = resizeAndCrop(constantPixels(4, 4, [9, 8, 7]), {
      ...defaultPreprocessing,
      height: 8,
      width: 8,
      cropRatio: 2,
    })
    expect([...input.values.subarray(0, 3)]).toEqual([0, 0, 0])
    expect([...input.values.subarray((2 * 8 + 2) * 3, (2 * 8 + 2) * 3 + 3)]).toEqual([9, 8, 7])
  })

  test('survives pictures of extreme shape', () => {
    for (const cropMode of ['center', 'squash', 'border'] as const) {
      for (const [width, height] of [
        [1, 20_000],
        [20_000, 1],
        [1, 1],
      ] as const) {
        const pixels = constantPixels(width, height, [255, 255, 255])
        const cropped = resizeAndCrop(pixels, { ...defaultPreprocessing, cropMode, height: 32, width: 32 })
        expect(cropped.values.length).toBe(32 * 32 * 3)
        expect(cropped.values.includes(255), `${cropMode} of ${width} × ${height}`).toBe(true)
      }
    }
  })

  test('puts blue first where the model takes it so', () => {
    const rgb: Preprocessing = { ...defaultPreprocessing, ...imagenet, height: 2, width: 2 }
    const colour = constantPixels(2, 2, [10, 128, 250])
    const turned = constantPixels(2, 2, [250, 128, 10])
    expect(preprocess(colour, { ...rgb, channelOrder: 'bgr' })).toEqual(preprocess(turned, rgb))
  })

  test('writes into a batch where it is told to', () => {
    const small = { ...defaultPreprocessing, height: 4, width: 4 }
    const batch = new Float32Array(3 * 48).fill(7)
    const written = preprocess(constantPixels(6, 6, [255, 255, 255]), small, { into: batch, offset: 48 })
    expect(written.byteOffset).toBe(48 * 4)
    expect([...new Set(batch.subarray(48, 96))]).toEqual([1])
    expect([...new Set(batch.subarray(0, 48)), ...new Set(batch.subarray(96))]).toEqual([7, 7])
  })

  test.each([-1, 1, Number.NaN])('refuses offset %d into an array that only just fits', (offset) => {
    const small = { ...defaultPreprocessing, height: 4, width: 4 }
    const into = new Float32Array(48)
    expect(() => preprocess(constantPixels(6, 6, [0, 0, 0]), small, { into, offset })).toThrow(
      /needs 48 elements from offset .*, but into has 48/,
    )
  })
})

/** The bytes of each tensor of a safetensors file. */
function readTensors(path: string): Map<string, Uint8Array> {
  const file = readFileSync(path)
  const headerLength = Number(file.readBigUInt64LE(0))
  const header = JSON.parse(file.toString('utf8', 8, 8 + headerLength)) as Record<
    string,
    { data_offsets: [number, number] }
  >
  const tensors = new Map<string, Uint8Array>()
  for (const [name, { data_offsets }] of Object.entries(header)) {
    const [start, end] = data_offsets
    tensors.set(name, file.subarray(8 + headerLength + start, 8 + headerLength + end))
  }
  return tensors
}
