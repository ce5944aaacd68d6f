import { join } from 'node:path'
import { defined } from '../../../src/base/assert.js'
import { slice } from '../../../src/graph/ops/index.js'
import type { Tensor } from '../../../src/graph/tensor.js'
import { readDescription, withWeights } from '../../../src/model-store/model-files.js'
import {
  efficientSam,
  efficientSamEncoder,
  efficientSamPixels,
  efficientSamPrompts,
} from '../../../src/models/efficient-sam.js'
import { readEfficientSamConfig } from '../../../src/models/efficient-sam-json.js'
import { pointInputs, pointTokens, promptInputs } from '../../../src/models/masks/prompt-encoder.js'
import { programOf } from '../../../src/models/model-definition.js'
import { nativeRuntime } from '../../../src/runtime/node/native.js'
import { scaleToPicture } from '../../../src/segmentation/frame.js'
import { squashedChannel } from '../../../src/segmentation/frame-pixels.js'
import { scaled } from '../../../src/segmentation/logits-scale.js'
import { MaskEngine } from '../../../src/tasks/segment/mask-engine.js'
import { type Golden, readGolden } from '../../support/golden.js'
import { compareAll, Findings, fed, type OwnCase } from './findings.js'
import { runTensors } from './run-tensors.js'

/** The configuration that golden.json tells, in the keys of a config.json. */
const json = {
  model_type: 'efficient_sam',
  vision_config: {
    ...{ hidden_size: 24, num_hidden_layers: 3, num_attention_heads: 3 },
    ...{ image_size: 128, output_channels: 32 },
  },
  mask_decoder_config: {
    ...{ num_attention_heads: 4, mlp_dim: 64, iou_head_hidden_dim: 24 },
    upscaling_layer_dims: [16, 8],
  },
}
const config = readEfficientSamConfig(json)
const prompts = efficientSamPrompts(config)
const tolerance = 5e-4

async function engineOf(golden: Golden): Promise<MaskEngine> {
  const description = readDescription({ config: json })
  const files = await withWeights(description, golden.weights('w/'), { source: 'the golden file' })
  return new MaskEngine(files, { runtime: await nativeRuntime(), reason: 'for a test' })
}

/** Three prompts of two points each, filled up with points that are none. */
function filledPrompts(golden: Golden) {
  const [, count = 0, each = 0] = golden.shape('in/labels')
  const [points, labels] = [golden.floats('out/rescaled_points'), golden.integers('in/labels')]
  const fill = {
    coordinates: new Float32Array(count * 12).fill(-1),
    labels: new Float32Array(count * 6).fill(-1),
  }
  for (let prompt = 0; prompt < count; prompt++) {
    fill.coordinates.set(points.subarray(prompt * 2 * each, (prompt + 1) * 2 * each), prompt * 12)
    fill.labels.set(labels.slice(prompt * each, (prompt + 1) * each), prompt * 6)
  }
  return {
    [promptInputs.coordinates]: { shape: [count, 6, 2], values: fill.coordinates },
    [promptInputs.labels]: { shape: [count, 6], values: fill.labels },
  }
}

/** The picture in the frame, from numbers between bytes that a picture can't hold. */
function preprocessed(
  image: Float32Array,
  size: { height: number; width: number },
  frame: MaskEngine['frame'],
) {
  const plane = size.height * size.width
  return frame.mean.flatMap((mean, channel) =>
    Array.from(
      squashedChannel(image.subarray(channel * plane, (channel + 1) * plane), size, frame),
      (value) => (value - mean) / (frame.std[channel] ?? 1),
    ),
  )
}

/** All of EfficientSAM: its encoder, its prompts, its decoder and its masks at the picture's size. */
export const efficientSamCase: OwnCase = async (folder) => {
  const golden = await readGolden(join(folder, 'efficient_sam_small.safetensors'))
  const found = new Findings()
  await using engine = await engineOf(golden)
  const [, , height = 0, width = 0] = golden.shape('in/image')
  const input = preprocessed(golden.floats('in/image'), { height, width }, engine.frame)
  const blocks: Record<string, Tensor> = {}
  const { positions, embedding } = efficientSamEncoder(efficientSamPixels(config), config, {
    after: ({ tokens }, { layer }) => {
      blocks[`block${layer - 1}`] = tokens
      return undefined
    },
  })
  const { low_res_masks: masks, iou_predictions: iou } = programOf(efficientSam(config), 'decode')
  const from = (x: Tensor, start: number, end: number) => slice(x, { axis: 1, start, end })
  const [all, ious] = [defined(masks, 'masks'), defined(iou, 'IoUs')]
  const feeds = {
    pixel_values: { shape: [1, 3, 128, 128], values: input },
    [promptInputs.embedding]: fed(golden, 'out/image_embedding'),
    ...filledPrompts(golden),
  }
  const ours = await runTensors(
    {
      ...blocks,
      abs_pos: positions,
      image_embedding: embedding,
      sparse: pointTokens(pointInputs(), prompts),
      'single.low_res': from(all, 0, 1),
      'single.iou': from(ious, 0, 1),
      'multi.low_res': from(all, 1, 4),
      'multi.iou': from(ious, 1, 4),
    },
    { weights: golden.weights('w/'), feeds },
  )
  const scale = scaleToPicture({ height, width }, engine.frame)
  const side = { height: engine.frame.maskRows, width: engine.frame.maskColumns }
  const atPicture = (logits: Float32Array) =>
    Array.from({ length: logits.length / (side.height * side.width) }, (_, at) => {
      const each = side.height * side.width
      return Array.from(scaled(logits.subarray(at * each, (at + 1) * each), side, scale))
    }).flat()
  const points = golden
    .floats('in/points')
    .map((value, at) => value * (128 / (at % 2 === 0 ? width : height)))
  compareAll(
    found,
    golden,
    {
      ...ours,
      preprocessed: input,
      // a point that is none stays where it is
      rescaled_points: points,
      'forward.masks': atPicture(defined(ours['multi.low_res'], 'masks')),
      'forward.iou': defined(ours['multi.iou'], 'IoUs'),
    },
    tolerance,
  )
  await compareEngine(found, golden, { engine, points })
  return found
}

/** Two points, and a box, as whoever cuts things out gives them. */
async function compareEngine(
  found: Findings,
  golden: Golden,
  { engine, points }: { engine: MaskEngine; points: Float32Array },
): Promise<void> {
  const embedding = golden.floats('out/image_embedding')
  const asked = [
    { points: points.subarray(0, 4), labels: Float32Array.of(1, 1) },
    { boxes: points.subarray(4, 8) },
  ]
  const each = 3 * 32 * 32
  for (const [prompt, given] of asked.entries()) {
    const { logits, iouPredictions } = await engine.decode(embedding, { count: 1, ...given })
    const of = (name: string, length: number) =>
      golden.floats(name).subarray(prompt * length, (prompt + 1) * length)
    found.close(`engine's masks ${prompt}`, logits, of('out/multi.low_res', each), tolerance)
    found.close(`engine's IoUs ${prompt}`, iouPredictions, of('out/multi.iou', 3), tolerance)
  }
}
