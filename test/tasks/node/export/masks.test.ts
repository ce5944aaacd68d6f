import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import * as ort from 'onnxruntime-node'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defined } from '../../../../src/base/assert.js'
import { openModel } from '../../../../src/model-store/node/open-model.js'
import { writeModelFolder } from '../../../../src/model-store/node/write-model-folder.js'
import { presets } from '../../../../src/models/index.js'
import { nativeRuntime } from '../../../../src/runtime/node/native.js'
import { scaleToPicture, sizeInFrame } from '../../../../src/segmentation/frame.js'
import { restoreMask } from '../../../../src/segmentation/restored-mask.js'
import { exportOnnx } from '../../../../src/tasks/node/export/export-onnx.js'
import { type EncodedFrame, MaskEngine } from '../../../../src/tasks/segment/mask-engine.js'
import { expectClose } from '../../../support/expect-close.js'
import { pythonWith } from '../../../support/python.js'
import { temporaryFolder } from '../../../support/temporary-folder.js'
import { randomModel } from '../../../support/tiny-models.js'

const folder = temporaryFolder()
const micro = defined(presets['sam-micro'], 'sam-micro')
const python = pythonWith('onnx')
const picture = { height: 45, width: 70 }
const pixels = {
  ...picture,
  values: Uint8Array.from({ length: 3 * 45 * 70 }, (_, at) => (at * 37 + (at >> 5)) % 256),
}

let engine: MaskEngine
let encoded: EncodedFrame
beforeAll(async () => {
  await writeModelFolder(join(folder, 'sam'), randomModel(micro), { card: '' })
  const files = await openModel(join(folder, 'sam'))
  engine = new MaskEngine(files, { runtime: await nativeRuntime(), reason: 'for a test' })
  encoded = await engine.encode(pixels)
})
afterAll(() => engine?.dispose())

const floats = (values: Float32Array, dims: readonly number[]) => new ort.Tensor('float32', values, dims)

async function session(name: string) {
  return ort.InferenceSession.create(join(folder, name), { logSeverityLevel: 3 })
}

/** What segment-anything's demos feed, and what ours is asked instead: nothing is added to what they feed. */
const prompts = [
  { points: [[20, 30, 1]], mask: false },
  {
    points: [
      [20, 30, 1],
      [100, 60, 0],
      [64, 90, 1],
    ],
    mask: false,
  },
  {
    points: [
      [10, 20, 2],
      [90, 100, 3],
    ],
    mask: false,
  },
  {
    points: [
      [20, 30, 1],
      [10, 20, 2],
      [90, 100, 3],
    ],
    mask: false,
  },
  { points: [[20, 30, 1]], mask: true },
].map(({ points, mask }) => {
  const isBox = points.some(([, , label]) => label === 2)
  return { fed: isBox ? points : [...points, [0, 0, -1]], points, mask }
})

describe.each([false, true])('the decoder, operators of opset 17: %s', (standard) => {
  const name = `decoder-${standard}.onnx`
  beforeAll(async () => {
    const files = await openModel(join(folder, 'sam'))
    const exported = await exportOnnx(files, join(folder, name), {
      part: 'decoder',
      target: standard ? 'standard' : 'native',
    })
    expect(exported.inputs.toSorted()).toEqual([
      'has_mask_input',
      'image_embeddings',
      'mask_input',
      'orig_im_size',
      'point_coords',
      'point_labels',
    ])
    expect(exported.outputs).toEqual(['masks', 'iou_predictions', 'low_res_masks'])
  })

  test.skipIf(!python || !standard)('is valid ONNX', () => {
    const script = `import onnx, sys; onnx.checker.check_model(sys.argv[1], full_check=True)`
    execFileSync(defined(python, 'python'), ['-c', script, join(folder, name)])
  })

  test('gives others our masks, whatever number of points', async () => {
    const decoder = await session(name)
    const logits = Float32Array.from({ length: 32 * 32 }, (_, at) => Math.sin(at))
    for (const { fed, points, mask } of prompts) {
      const outputs = await decoder.run({
        image_embeddings: floats(encoded.embedding, [1, 32, 8, 8]),
        point_coords: floats(Float32Array.from(fed.flatMap(([x = 0, y = 0]) => [x, y])), [1, fed.length, 2]),
        point_labels: floats(Float32Array.from(fed.map(([, , label = 0]) => label)), [1, fed.length]),
        mask_input: floats(mask ? logits : new Float32Array(32 * 32), [1, 1, 32, 32]),
        has_mask_input: floats(Float32Array.of(Number(mask)), [1]),
        orig_im_size: floats(Float32Array.of(picture.height, picture.width), [2]),
      })
      const clicks = points.filter(([, , label = 0]) => label < 2)
      const corners = points.filter(([, , label = 0]) => label >= 2)
      const framePrompts = {
        count: 1,
        points: clicks.length > 0 ? Float32Array.from(clicks.flatMap(([x = 0, y = 0]) => [x, y])) : undefined,
        labels: clicks.length > 0 ? Float32Array.from(clicks.map(([, , label = 0]) => label)) : undefined,
        boxes:
          corners.length > 0 ? Float32Array.from(corners.flatMap(([x = 0, y = 0]) => [x, y])) : undefined,
        masks: mask ? logits : undefined,
      }
      const single = await engine.decode(encoded.embedding, framePrompts, { multimask: false })
      const several = await engine.decode(encoded.embedding, framePrompts)
      const theirs = (output: string) => outputs[output]?.data as Float32Array
      expectClose(theirs('low_res_masks'), [...single.logits, ...several.logits], { rtol: 1e-4, atol: 1e-4 })
      expectClose(theirs('iou_predictions'), [...single.iouPredictions, ...several.iouPredictions], {
        rtol: 1e-4,
        atol: 1e-4,
      })
      expect(outputs.masks?.dims).toEqual([1, 4, picture.height, picture.width])
      const scale = scaleToPicture(picture, engine.frame)
      const low = theirs('low_res_masks')
      for (let at = 0; at < 4; at++) {
        const one = low.slice(at * 1024, (at + 1) * 1024)
        const { mask: own } = restoreMask(one, { height: 32, width: 32 }, scale)
        const shown = theirs('masks').slice(at * own.values.length, (at + 1) * own.values.length)
        // a logit that near 0 may fall on either side
        const wrong = own.values.filter((value, pixel) => {
          const logit = shown[pixel] ?? 0
          return Math.abs(logit) > 1e-4 && value !== Number(logit > 0)
        })
        expect(wrong).toHaveLength(0)
      }
    }
    await decoder.release()
  })
})

test('the single mask is the best of all of one click, and its own mask of several', async () => {
  const files = await openModel(join(folder, 'sam'))
  await exportOnnx(files, join(folder, 'single.onnx'), { part: 'decoder', singleMask: true })
  const decoder = await session('single.onnx')
  for (const { fed, points, mask } of prompts) {
    if (mask || points.some(([, , label = 0]) => label > 1)) continue
    const outputs = await decoder.run({
      image_embeddings: floats(encoded.embedding, [1, 32, 8, 8]),
      point_coords: floats(Float32Array.from(fed.flatMap(([x = 0, y = 0]) => [x, y])), [1, fed.length, 2]),
      point_labels: floats(Float32Array.from(fed.map(([, , label = 0]) => label)), [1, fed.length]),
      mask_input: floats(new Float32Array(32 * 32), [1, 1, 32, 32]),
      has_mask_input: floats(Float32Array.of(0), [1]),
      orig_im_size: floats(Float32Array.of(picture.height, picture.width), [2]),
    })
    const framePrompts = {
      count: 1,
      points: Float32Array.from(points.flatMap(([x = 0, y = 0]) => [x, y])),
      labels: Float32Array.from(points.map(([, , label = 0]) => label)),
    }
    const single = await engine.decode(encoded.embedding, framePrompts, { multimask: false })
    const { iouPredictions } = await engine.decode(encoded.embedding, framePrompts)
    // of two points, the one that is none among them, the single mask is 500 behind
    const expected = fed.length > 2 ? single.iouPredictions[0] : Math.max(...iouPredictions)
    expect(outputs.low_res_masks?.dims).toEqual([1, 1, 32, 32])
    expectClose(outputs.iou_predictions?.data as Float32Array, [expected ?? Number.NaN], { atol: 1e-4 })
  }
  await decoder.release()
})

test('the encoder makes our embeddings, with tokens that go as it is told', async () => {
  const files = await openModel(join(folder, 'sam'))
  const { side } = { side: 128 }
  const values = Float32Array.from({ length: 3 * side * side }, (_, at) => Math.sin(at / 50))
  for (const settings of [{}, { reduce: 'evit:0.5,blocks=1/2' }]) {
    await exportOnnx(files, join(folder, 'encoder.onnx'), {
      part: 'encoder',
      target: 'standard',
      ...settings,
    })
    await exportOnnx(files, join(folder, 'native.onnx'), { part: 'encoder', ...settings })
    const [one, other] = await Promise.all(
      ['encoder.onnx', 'native.onnx'].map(async (name) => {
        const encoder = await session(name)
        const outputs = await encoder.run({ pixel_values: floats(values, [1, 3, side, side]) })
        await encoder.release()
        return outputs.image_embeddings?.data as Float32Array
      }),
    )
    expectClose(defined(one, 'standard'), defined(other, 'native'), { rtol: 1e-4, atol: 1e-4 })
  }
  expect(sizeInFrame(picture, engine.frame)).toEqual({ height: 82, width: 128 })
})

test.each([
  [{}, 'Say --part encoder or --part decoder'],
  [{ part: 'encoder', singleMask: true }, '--single-mask goes with --part decoder'],
  [{ part: 'decoder', precision: 'fp16' }, 'leave --dtype out'],
  [{ part: 'decoder', allOutputs: true }, 'Leave --all-outputs out'],
] as const)('%j is refused', async (options, why) => {
  const files = await openModel(join(folder, 'sam'))
  await expect(exportOnnx(files, join(folder, 'refused.onnx'), options)).rejects.toThrow(why)
})
