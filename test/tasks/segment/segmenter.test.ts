import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nodeDecoder } from '../../../src/image/node/decode.js'
import type { Prompt } from '../../../src/segmentation/prompts.js'
import type { EncodedPicture } from '../../../src/tasks/segment/encoded-picture.js'
import { Segmenter } from '../../../src/tasks/segment/segmenter.js'
import { readNpy, writeNpy } from '../../../src/weights/npy.js'
import type { Golden } from '../../support/golden.js'
import { goldenMaskEngine, readGoldenSam } from '../../support/golden-sam.js'
import { hasSharedData, withoutSharedData } from '../../support/shared-data.js'

describe.skipIf(!hasSharedData)(`a small SAM${withoutSharedData}`, () => {
  let golden: Golden
  let sam: Segmenter
  let encoded: EncodedPicture

  beforeAll(async () => {
    golden = await readGoldenSam()
    sam = new Segmenter('golden', await goldenMaskEngine(), nodeDecoder)
    const [height = 0, width = 0] = golden.shape('in/image_u8')
    encoded = await sam.encode({ height, width, values: Uint8Array.from(golden.integers('in/image_u8')) })
  })
  afterAll(() => sam?.dispose())

  const click: Prompt = { points: [{ x: 50, y: 40 }] }

  test('answers the official prompts with the official masks', async () => {
    const points = Array.from({ length: 3 }, (_, at) => ({
      x: golden.floats('in/point_coords')[2 * at] ?? 0,
      y: golden.floats('in/point_coords')[2 * at + 1] ?? 0,
      label: golden.integers('in/point_labels')[at] as 0 | 1,
    }))
    const [x0 = 0, y0 = 0, x1 = 0, y1 = 0] = golden.floats('in/box')
    const mask = { rows: 32, columns: 32, logits: golden.floats('in/mask_input') }
    const box = [x0, y0, x1, y1] as const
    const prompts: Readonly<Record<string, Prompt>> = {
      point1: { points: points.slice(0, 1) },
      points3: { points },
      box: { box },
      points_box: { points, box },
      mask_only: { mask },
      mask_point: { points: points.slice(0, 1), mask },
    }
    for (const [name, prompt] of Object.entries(prompts)) {
      for (const kind of ['multi', 'single'] as const) {
        const answers = await encoded.predict(prompt, { multimask: kind === 'multi' })
        const ious = [...golden.floats(`out/${name}.${kind}.iou`)]
        const logits = golden.floats(`out/${name}.${kind}.logits`)
        // ours stand in the order of their predicted IoU
        const order = ious.map((_, at) => at).sort((a, b) => (ious[b] ?? 0) - (ious[a] ?? 0))
        answers.forEach(({ mask: { values }, predictedIou }, rank) => {
          const at = order[rank] ?? 0
          expect(Math.abs(predictedIou - (ious[at] ?? 0)), name).toBeLessThan(1e-3)
          // the golden file's tolerance: a logit that near 0 may fall on either side
          const wrong = values.filter((value, pixel) => {
            const logit = logits[at * values.length + pixel] ?? 0
            return Math.abs(logit) > 2e-3 && value !== Number(logit > 0)
          })
          expect(wrong.length, name).toBe(0)
        })
        expect(answers).toHaveLength(ious.length)
      }
    }
  })

  test('prompts of one call are answered each by itself, in their order', async () => {
    const box: Prompt = { box: [10, 10, 60, 60] }
    const together = await encoded.predict([click, box, click])
    const alone = await Promise.all([click, box, click].map((prompt) => encoded.predict(prompt)))
    const areas = (answers: typeof together) => answers.map((masks) => masks.map(({ area }) => area))
    expect(areas(together)).toEqual(areas(alone))
    expect(await encoded.predict([])).toEqual([])
  })

  test('a saved embedding answers as the picture did, a damaged one is refused', async () => {
    const file = writeNpy({ shape: sam.embeddingShape, values: encoded.embedding })
    const { shape, values } = readNpy(file, 'photo.npy')
    expect(shape).toEqual([...sam.embeddingShape])
    const again = sam.fromEmbedding({ embedding: values, picture: encoded.size })
    expect(await again.predict(click)).toEqual(await encoded.predict(click))
    await expect(again.everything({ cropLayers: 1 })).rejects.toMatchObject({ code: 'UNSUPPORTED' })
    const wrong = { embedding: values.slice(1), picture: encoded.size }
    expect(() => sam.fromEmbedding(wrong)).toThrow(expect.objectContaining({ code: 'BAD_OPTION' }))
    const holed = {
      embedding: values.map((value, at) => (at === 5 ? Number.NaN : value)),
      picture: encoded.size,
    }
    expect(() => sam.fromEmbedding(holed)).toThrow(/no numbers/)
  })

  test('a mask that was an answer is a prompt', async () => {
    const [first] = await encoded.predict(click)
    const refined = await encoded.predict({ ...click, mask: first?.logits }, { multimask: false })
    const drawn = await encoded.predict({ ...click, mask: first?.mask }, { multimask: false })
    expect([refined.length, drawn.length]).toEqual([1, 1])
  })

  test.each<[string, Prompt | Prompt[], string]>([
    ['a point outside', { points: [{ x: 100, y: 0 }] }, 'BAD_OPTION'],
    ['an empty box', { box: [5, 5, 5, 9] }, 'BAD_OPTION'],
    ['NaN', { points: [{ x: Number.NaN, y: 0 }] }, 'BAD_OPTION'],
    ['nothing', {}, 'BAD_OPTION'],
    ['a mask of another size', { mask: { height: 2, width: 2, values: new Uint8Array(4) } }, 'BAD_OPTION'],
    ['too many prompts', Array.from({ length: 10_001 }, () => click), 'BAD_OPTION'],
  ])('%s is refused before anything runs', async (_, prompt, code) => {
    await expect(encoded.predict(prompt as Prompt)).rejects.toMatchObject({ code })
  })

  test('a strip of one row is encoded and answered', async () => {
    const strip = await sam.encode({ height: 1, width: 5000, values: new Uint8Array(15_000).fill(90) })
    const [best] = await strip.predict({ points: [{ x: 4999, y: 0 }] })
    expect(best?.mask).toMatchObject({ height: 1, width: 5000 })
  })

  test('an aborted prompt ends', async () => {
    const signal = AbortSignal.abort()
    await expect(encoded.predict(click, { signal })).rejects.toMatchObject({ code: 'ABORTED' })
    await expect(encoded.everything({ pointsPerSide: 2, signal })).rejects.toMatchObject({ code: 'ABORTED' })
  })

  test('an option that nobody honours is refused', async () => {
    await expect(encoded.predict(click, { multiMask: true } as object)).rejects.toMatchObject({
      code: 'BAD_OPTION',
    })
    await expect(encoded.everything({ cropLayers: 9 })).rejects.toMatchObject({ code: 'BAD_OPTION' })
  })

  test('after dispose no picture is encoded: nobody would free what is loaded for it', async () => {
    const other = new Segmenter('golden', await goldenMaskEngine(), nodeDecoder)
    const pixels = { height: 8, width: 8, values: new Uint8Array(192) }
    await other.encode(pixels)
    await other.dispose()
    await expect(other.encode(pixels)).rejects.toMatchObject({
      code: 'ENGINE',
      message: expect.stringContaining('was disposed'),
    })
  })
})
