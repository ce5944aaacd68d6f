import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nodeDecoder } from '../../src/image/node/decode.js'
import { maskAtInput } from '../../src/image/picture-mask.js'
import type { Pixels } from '../../src/image/pixels.js'
import { preprocess } from '../../src/image/preprocessing.js'
import { classify } from '../../src/problems/classify.js'
import { features } from '../../src/problems/features.js'
import { type PatchBits, tokenMaskJson, tokenMaskText } from '../../src/reduction/token-mask.js'
import { chooseRuntime } from '../../src/runtime/node/choose.js'
import { Model } from '../../src/tasks/model.js'
import type { FindObjects } from '../../src/tasks/object-finder.js'
import { objectRegions } from '../../src/tasks/object-regions.js'
import { randomModel, shrunk } from '../support/tiny-models.js'

const architecture = shrunk('vit-tiny', { rows: 4, columns: 4 })
const files = randomModel(architecture)
const grid = { rows: 4, columns: 4 }
const bits = (text: string): PatchBits => Array.from(text, (bit) => bit === '1')
const nothing = bits('0'.repeat(16))

/** A mask whose fifth patch receives most. */
function maskText(of: PatchBits, objects?: PatchBits): string {
  const attentionReceived = Array.from({ length: 17 }, (_, token) =>
    token === 0 ? 0.6 : token === 5 ? 0.1 : 0.02,
  )
  const calibration = {
    ...{ model: 'tiny', fingerprint: 'none', image: { height: 16, width: 16 }, pictures: 1, seed: 0 },
    ...{ threshold: 'patches' as const, prefixTokens: 1, attentionReceived },
  }
  return `atf:${tokenMaskText(tokenMaskJson(grid, { static: of, calibration, objects }), { name: 'tiny.json' })}`
}

async function modelOf(reduce?: string, objects?: FindObjects): Promise<Model> {
  return new Model('tiny', files, await chooseRuntime('cpu'), {
    decoder: nodeDecoder,
    settings: reduce === undefined ? {} : { reduce },
    objects,
  })
}

/** A grey picture of 16 × 16 pixels, so that the model takes it as it is. */
const picture = (grey: number): Pixels => ({
  width: 16,
  height: 16,
  values: Uint8Array.from({ length: 16 * 16 * 3 }, (_, i) => (i * grey) % 251),
})
const pictures = [picture(3), picture(7), picture(11), picture(13)]

const logitsOf = async (model: Model) => {
  const prepared = await Promise.all(pictures.map((each) => model.prepare(each)))
  const logits: Float32Array[] = []
  for (const each of prepared) logits.push(await model.logits([each]))
  return logits
}

describe('objects that are told with each picture', () => {
  test('filter as a mask that is a constant does, to the bit; marking all is the plain model', async () => {
    const regions = ['1000000000000001', '0110000000000000', '1111111111111111', '0000000000000000'].map(bits)
    const s = bits('0000010000000100')
    await using given = await modelOf(
      `${maskText(s)},objects=given`,
      (image) => regions[pictures.indexOf(image as Pixels)] ?? nothing,
    )
    await using plain = await modelOf()
    const found = await logitsOf(given)
    for (const [i, region] of regions.entries()) {
      await using fixed = await modelOf(maskText(s, region))
      expect(found[i]).toEqual((await logitsOf(fixed))[i])
    }
    expect(found[2]).toEqual((await logitsOf(plain))[2])
    expect(found[0]).not.toEqual((await logitsOf(plain))[0])
  })

  test('of a call come back in order, those of one mask in one run', async () => {
    const region = (image: unknown) =>
      bits(pictures.indexOf(image as Pixels) % 2 ? `${'0'.repeat(15)}1` : '1'.repeat(16))
    await using model = await modelOf(`${maskText(nothing)},objects=given`, region)
    const together = await model.answer(features, pictures, {})
    expect(together.map(({ answer }) => answer.shape[0])).toEqual([17, 2, 17, 2])
    for (const [i, image] of pictures.entries()) {
      const [alone] = await model.answer(features, image, {})
      expect(Array.from(together[i]?.answer.values ?? [])).toEqual(
        Array.from(alone?.answer.values ?? [], (value) => expect.closeTo(value, 5)),
      )
    }
    const { steps } = await model.trace(pictures[1] ?? picture(1))
    expect(steps).toMatchObject([{ afterLayer: 0, tokens: 1 }])
    expect(steps[0]?.patchToken).toEqual(Array.from({ length: 16 }, (_, patch) => (patch === 15 ? 0 : -1)))
  })

  test('where nothing is marked the patch with the largest mean stays', async () => {
    await using model = await modelOf(
      `${maskText(bits('1'.repeat(16)))},static=false,objects=given`,
      () => nothing,
    )
    const { steps } = await model.trace(pictures[0] ?? picture(1))
    expect(steps[0]?.patchToken.flatMap((token, patch) => (token < 0 ? [] : [patch]))).toEqual([4])
  })

  test('masks of pixels are checked and cropped as the picture', async () => {
    const mask = { width: 16, height: 16, values: new Uint8Array(256) }
    mask.values[16 * 15 + 15] = 1
    await using model = await modelOf(`${maskText(nothing)},objects=given`, () => mask)
    const { steps } = await model.trace(pictures[0] ?? picture(1))
    expect(steps[0]?.tokens).toBe(1)
    expect(objectRegions({ ...mask, dilate: 4 }, model).filter(Boolean)).toHaveLength(4)
    await using wide = await modelOf(`${maskText(nothing)},objects=given`, () => ({
      ...mask,
      width: 32,
      height: 8,
    }))
    await expect(wide.classify(pictures[0] ?? picture(1))).rejects.toThrow(
      /mask of 32 × 8 pixels has another shape than its picture, 16 × 16/,
    )
  })

  test('are refused where nobody asks, asked for where nobody tells, and must fit', async () => {
    await expect(modelOf(maskText(bits('1'.repeat(16))), () => nothing)).rejects.toThrow(
      /Nothing of tiny asks where objects are/,
    )
    await using untold = await modelOf(`${maskText(nothing)},objects=given`)
    await expect(untold.answer(classify, pictures, {})).rejects.toMatchObject({
      code: 'BAD_OPTION',
      message: expect.stringMatching(/objects=given.* load\(…, \{ objects: \(image\) => mask \}\)/),
    })
    await using short = await modelOf(`${maskText(nothing)},objects=given`, () => [1, 0])
    await expect(short.classify(picture(1))).rejects.toThrow(
      /mask of 2 bits is for another grid: .* 4 × 4 = 16/,
    )
    const uncalibrated = tokenMaskText(tokenMaskJson(grid, { objects: bits('1'.repeat(16)) }))
    await expect(modelOf(`atf:${uncalibrated},objects=given`, () => nothing)).rejects.toThrow(
      /must be calibrated/,
    )
  })
})

test('a mask of a picture’s size is what the model sees of the picture, nearest pixel by pixel', () =>
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 40 }),
      fc.constantFrom('center' as const, 'squash' as const, 'border' as const),
      (height, width, cropMode) => {
        const all = { height, width, values: new Uint8Array(height * width).fill(1) }
        const preprocessing = { ...files.preprocessing, cropMode, cropRatio: 0.8 }
        // a white picture without overshoot: what is white of it is inside
        const white = { height, width, values: new Uint8Array(3 * height * width).fill(255) }
        const seen = preprocess(white, {
          ...preprocessing,
          filter: 'bilinear',
          mean: [0, 0, 0],
          std: [1, 1, 1],
        })
        const inside = Array.from(seen.subarray(0, 256), (value) => Number(value === 1))
        expect(Array.from(maskAtInput(all, preprocessing).values)).toEqual(inside)
      },
    ),
  ))
