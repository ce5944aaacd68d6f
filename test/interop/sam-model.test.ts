import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AutoProcessor, env, RawImage, SamModel, Tensor } from '@huggingface/transformers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { defined } from '../../src/base/assert.js'
import { decodeImage } from '../../src/image/node/decode.js'
import { runWithPauses } from '../../src/image/steps.js'
import { openModel } from '../../src/model-store/node/open-model.js'
import { writeModelFolder } from '../../src/model-store/node/write-model-folder.js'
import { presets } from '../../src/models/index.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import { framePictureSteps } from '../../src/segmentation/frame-pixels.js'
import { MaskEngine } from '../../src/tasks/segment/mask-engine.js'
import { expectClose } from '../support/expect-close.js'
import { runCli } from '../support/run-cli.js'
import { temporaryFolder } from '../support/temporary-folder.js'
import { randomModel } from '../support/tiny-models.js'

env.allowRemoteModels = false

const folder = temporaryFolder()
const [source, exported] = [join(folder, 'sam'), join(folder, 'exported')]
const photo = fileURLToPath(new URL('../../examples/kite.jpg', import.meta.url))

/** What the library's types don't say of its class. */
interface RunsMasks {
  (inputs: Readonly<Record<string, Tensor>>): Promise<Record<'pred_masks' | 'iou_scores', Tensor>>
  get_image_embeddings(inputs: {
    pixel_values: Tensor
  }): Promise<Record<'image_embeddings' | 'image_positional_embeddings', Tensor>>
  dispose(): Promise<unknown>
}

/** The same of its processor. */
interface ProcessesPrompts {
  (image: RawImage, prompts: object): Promise<Record<string, Tensor>>
  post_process_masks(masks: Tensor, original: unknown, reshaped: unknown): Promise<readonly Tensor[]>
}

let engine: MaskEngine
let model: RunsMasks
beforeAll(async () => {
  await writeModelFolder(source, randomModel(defined(presets['sam-micro'], 'sam-micro')), { card: '' })
  const { code, stderr } = await runCli(['export', source, '--for', 'transformers.js', '-o', exported])
  expect(code, stderr).toBe(0)
  engine = new MaskEngine(await openModel(source), { runtime: await nativeRuntime(), reason: 'for a test' })
  model = (await SamModel.from_pretrained(exported, { dtype: 'fp32' })) as unknown as RunsMasks
})
afterAll(async () => {
  await engine?.dispose()
  await model?.dispose()
})

test('the folder holds what SamModel looks for', () => {
  expect(readdirSync(exported).sort()).toEqual([
    'README.md',
    'config.json',
    'onnx',
    'preprocessor_config.json',
  ])
  expect(readdirSync(join(exported, 'onnx')).sort()).toEqual([
    'prompt_encoder_mask_decoder.onnx',
    'vision_encoder.onnx',
  ])
})

test("transformers.js's SamModel gives our masks of the same pixels, for several objects of several clicks", async () => {
  const pixels = await decodeImage(photo)
  const { input } = await runWithPauses(framePictureSteps(pixels, engine.frame), {})
  const pixel_values = new Tensor('float32', input, [1, 3, 128, 128])
  const clicks = [
    [30, 40, 90, 60],
    [64, 64, 10, 100],
  ]
  const labels = [
    [1, 0],
    [1, 1],
  ]
  const embeddings = await model.get_image_embeddings({ pixel_values })
  const { pred_masks, iou_scores } = await model({
    ...embeddings,
    input_points: new Tensor('float32', Float32Array.from(clicks.flat()), [1, 2, 2, 2]),
    input_labels: new Tensor('int64', BigInt64Array.from(labels.flat().map(BigInt)), [1, 2, 2]),
  })
  const { embedding } = await engine.encode(pixels)
  expectClose(embeddings.image_embeddings.data as Float32Array, embedding, { rtol: 1e-3, atol: 1e-4 })
  const ours = await engine.decode(embedding, {
    count: 2,
    points: Float32Array.from(clicks.flat()),
    labels: Float32Array.from(labels.flat()),
  })
  expect(pred_masks.dims).toEqual([1, 2, 3, 32, 32])
  expectClose(pred_masks.data as Float32Array, ours.logits, { rtol: 1e-3, atol: 1e-3 })
  expectClose(iou_scores.data as Float32Array, ours.iouPredictions, { rtol: 1e-3, atol: 1e-3 })
})

test('a point that fills up a row counts for nothing there', async () => {
  const pixels = await decodeImage(photo)
  const { embedding } = await engine.encode(pixels)
  const { input } = await runWithPauses(framePictureSteps(pixels, engine.frame), {})
  const embeddings = await model.get_image_embeddings({
    pixel_values: new Tensor('float32', input, [1, 3, 128, 128]),
  })
  const answer = (points: readonly number[], labels: readonly bigint[]) =>
    model({
      ...embeddings,
      input_points: new Tensor('float32', Float32Array.from(points), [1, 1, labels.length, 2]),
      input_labels: new Tensor('int64', BigInt64Array.from(labels), [1, 1, labels.length]),
    })
  // a token of zeros still takes part, so its place must make no difference
  const one = await answer([30, 40, 5, 5], [1n, -10n])
  const other = await answer([30, 40, 99, 70], [1n, -10n])
  expectClose(one.pred_masks.data as Float32Array, other.pred_masks.data as Float32Array, { atol: 1e-5 })
  expect(embedding.length).toBe(embeddings.image_embeddings.data.length)
})

test('its processor brings a photo and its clicks into the frame as ours', async () => {
  const processor = (await AutoProcessor.from_pretrained(exported)) as unknown as ProcessesPrompts
  const image = await RawImage.read(photo)
  const inputs = await processor(image, { input_points: [[[100, 80]]] })
  expect(inputs.pixel_values?.dims).toEqual([1, 3, 128, 128])
  const pixels = await decodeImage(photo)
  const scale = 128 / Math.max(pixels.width, pixels.height)
  expectClose((inputs.input_points?.data ?? []) as Float32Array, [100 * scale, 80 * scale], { rtol: 0.02 })
  const { pred_masks } = await model(inputs)
  const [masks] = await processor.post_process_masks(
    pred_masks,
    inputs.original_sizes,
    inputs.reshaped_input_sizes,
  )
  expect(masks?.dims).toEqual([1, 3, pixels.height, pixels.width])
})
