import { join } from 'node:path'
import { defined } from '../../../src/base/assert.js'
import { attention as attentionOp, input, mapToTokens, slice } from '../../../src/graph/ops/index.js'
import { scope } from '../../../src/graph/scope.js'
import type { Tensor } from '../../../src/graph/tensor.js'
import { resize } from '../../../src/image/resize.js'
import { runAtOnce } from '../../../src/image/steps.js'
import type { BlockHooks } from '../../../src/models/block-loop.js'
import { presets } from '../../../src/models/index.js'
import { type DecodedMasks, maskDecoder } from '../../../src/models/masks/mask-decoder.js'
import {
  gridEncoding,
  maskInput,
  maskTokens,
  noMaskToken,
  pointInputs,
  pointTokens,
  promptInputs,
} from '../../../src/models/masks/prompt-encoder.js'
import { samDecoder, samPrompts } from '../../../src/models/sam.js'
import { neighbourhoodOf, samEncoder, samPixels } from '../../../src/models/sam-encoder.js'
import { microSam } from '../../../src/models/sam-family.js'
import type { AttentionView } from '../../../src/nn/attention.js'
import { tokensToMap } from '../../../src/nn/convolution.js'
import { linear } from '../../../src/nn/linear.js'
import { patchEmbed } from '../../../src/nn/patch-embed.js'
import { positionTables } from '../../../src/nn/relative-position.js'
import { tokensToWindows, withPaddingRow } from '../../../src/nn/windows.js'
import { scaleToPicture, sizeInFrame } from '../../../src/segmentation/frame.js'
import { framePictureSteps } from '../../../src/segmentation/frame-pixels.js'
import { scaled } from '../../../src/segmentation/logits-scale.js'
import { fedPoints } from '../../../src/tasks/segment/frame-points.js'
import { readGolden } from '../../support/golden.js'
import { goldenMaskEngine } from '../../support/golden-sam.js'
import { compareAll, Findings, fed, type OwnCase } from './findings.js'
import { positionBias } from './position-bias.js'
import { runTensors, underName } from './run-tensors.js'

/** What the first block's attention makes of windows before they are a grid again, places outside of it too. */
function ofWindows(normed: Tensor, { q, k, v }: AttentionView): Record<string, Tensor> {
  const { heads, width } = microSam.encoder
  const { plan, learnedFor } = neighbourhoodOf(1, microSam)
  const windows = defined(plan, 'windows')
  return scope('attn', () => {
    const sides = defined(learnedFor, 'the sides of a window')
    const bias = positionBias(q, { heads, ...sides, tables: positionTables(width / heads, sides) })
    return {
      'block0.windows': tokensToWindows(withPaddingRow(normed, windows), windows),
      'block0.attn_windows': linear('proj', attentionOp(q, k, v, { heads, bias }), { out: width }),
    }
  })
}

/** What blocks read and leave, as the official code's hooks saw it. */
function looking(seen: Record<string, Tensor>): BlockHooks {
  const normed: Tensor[] = []
  return {
    start: ({ tokens }) => {
      seen.embed_plus_pos = tokens
      return undefined
    },
    normed: (x) => {
      normed.push(x)
      return undefined
    },
    after: ({ tokens }, { layer, attentionUpdate, attention }) => {
      const block = `block${layer - 1}`
      if (layer === 1) Object.assign(seen, ofWindows(defined(normed[0], 'the first norm'), attention))
      seen[block] = tokens
      seen[`${block}.attn`] = attentionUpdate
      seen[`${block}.norm1`] = defined(normed[2 * (layer - 1)], 'the first norm')
      return undefined
    },
  }
}

/** The encoder, block by block. */
export const encoderCase: OwnCase = async (folder) => {
  const golden = await readGolden(join(folder, 'sam_encoder_small.safetensors'))
  const found = new Findings()
  const seen: Record<string, Tensor> = {}
  const { embedding, neck } = samEncoder(samPixels(microSam), microSam, { hooks: looking(seen) })
  const ours = await runTensors(
    {
      ...seen,
      patch_embed: scope('image_encoder', () =>
        patchEmbed(samPixels(microSam), { patchSize: 16, width: 48 }),
      ),
      image_embedding: embedding,
      ...Object.fromEntries(neck.slice(0, -1).map((map, at) => [`neck.${at}`, map])),
    },
    {
      weights: underName(golden.weights('w/'), 'image_encoder.'),
      feeds: { pixel_values: fed(golden, 'in/image') },
    },
  )
  compareAll(found, golden, ours, 2e-4)
  return found
}

const prompts = samPrompts(microSam)
const frame = defined(presets['sam-micro']?.facts.masks, 'the frame of sam-micro')

/** Tokens of prompts and what masks add, in every combination. */
export const promptEncoderCase: OwnCase = async (folder) => {
  const golden = await readGolden(join(folder, 'sam_prompt_encoder_small.safetensors'))
  const found = new Findings()
  const weights = underName(golden.weights('w/'), 'prompt_encoder.')
  const [points, labels, boxes] = [
    golden.floats('in/points'),
    Float32Array.from(golden.integers('in/labels')),
    golden.floats('in/boxes'),
  ]
  const given = {
    points: { points, labels },
    boxes: { boxes },
    points_boxes: { points, labels, boxes },
    all: { points, labels, boxes },
  }
  const ours: Record<string, ArrayLike<number>> = {}
  for (const [name, some] of Object.entries(given)) {
    const { coordinates, labels, points: each } = fedPoints({ count: 2, ...some }, frame)
    const { sparse } = await runTensors(
      { sparse: pointTokens(pointInputs(), prompts) },
      {
        weights,
        feeds: {
          [promptInputs.coordinates]: { shape: [2, each, 2], values: coordinates },
          [promptInputs.labels]: { shape: [2, each], values: labels },
        },
      },
    )
    ours[`${name}.sparse`] = defined(sparse, 'the tokens')
  }
  const asMap = (tokens: Tensor) => tokensToMap(tokens, prompts.grid)
  const dense = await runTensors(
    {
      dense_pe: asMap(gridEncoding(prompts)),
      'masks.dense': asMap(maskTokens(maskInput(prompts), prompts)),
      none: noMaskToken(prompts),
    },
    { weights, feeds: { [promptInputs.masks]: fed(golden, 'in/masks') } },
  )
  const places = prompts.grid.rows * prompts.grid.columns
  const none = Array.from(defined(dense.none, 'the token of no mask')).flatMap((value) =>
    new Array<number>(places).fill(value),
  )
  compareAll(
    found,
    golden,
    {
      ...ours,
      ...dense,
      'all.dense': defined(dense['masks.dense'], 'what masks add'),
      'none.dense': none,
      ...Object.fromEntries(
        ['points', 'boxes', 'points_boxes'].map((name) => [`${name}.dense`, [...none, ...none]]),
      ),
    },
    2e-5,
  )
  return found
}

function maskOutputs({
  logits,
  iouPredictions,
  layers,
  tokens,
  keys,
  upscaled,
}: DecodedMasks): Record<string, Tensor> {
  const from = (x: Tensor, start: number, end: number) => slice(x, { axis: 1, start, end })
  return {
    hs: tokens,
    keys,
    upscaled,
    masks_all4: logits,
    masks_single: from(logits, 0, 1),
    masks_multi: from(logits, 1, 4),
    iou_all4: iouPredictions,
    iou_single: from(iouPredictions, 0, 1),
    iou_multi: from(iouPredictions, 1, 4),
    ...Object.fromEntries(
      layers.flatMap(({ queries, keys }, at) => [
        [`layer${at}.queries`, queries],
        [`layer${at}.keys`, keys],
      ]),
    ),
  }
}

/** The decoder, from an embedding and tokens. */
export const maskDecoderCase: OwnCase = async (folder) => {
  const golden = await readGolden(join(folder, 'sam_mask_decoder_small.safetensors'))
  const found = new Findings()
  const tokensOf = (name: string, shape = golden.shape(`in/${name}`)) => mapToTokens(input(name, shape))
  const decoded = maskDecoder(
    {
      // what the official decoder adds up: one embedding, and what masks add to it for each prompt
      image: tokensOf('image', golden.shape('in/dense')),
      places: tokensOf('image_pe'),
      sparse: input('sparse', golden.shape('in/sparse')),
      grid: prompts.grid,
    },
    samDecoder(microSam),
  )
  const embedding = golden.floats('in/image_embeddings')
  const image = golden.floats('in/dense').map((value, at) => value + (embedding[at % embedding.length] ?? 0))
  const ours = await runTensors(maskOutputs(decoded), {
    weights: underName(golden.weights('w/'), 'mask_decoder.'),
    feeds: {
      image: { shape: golden.shape('in/dense'), values: image },
      image_pe: fed(golden, 'in/image_pe'),
      sparse: fed(golden, 'in/sparse'),
    },
  })
  compareAll(found, golden, ours, 2e-4)
  return found
}

/** A whole model, from a picture's bytes to logits of its size, for every kind of prompt. */
export const endToEndCase: OwnCase = async (folder) => {
  const file = join(folder, 'sam_end_to_end_small.safetensors')
  const golden = await readGolden(file)
  const found = new Findings()
  const [height = 0, width = 0] = golden.shape('in/image_u8')
  const pixels = { height, width, values: Uint8Array.from(golden.integers('in/image_u8')) }
  await using engine = await goldenMaskEngine(file)
  const { input: framed } = runAtOnce(framePictureSteps(pixels, engine.frame))
  found.close('preprocessed', framed, golden.floats('out/preprocessed'), 1e-5)
  const resized = sizeInFrame(pixels, engine.frame)
  const small = resize(pixels, { ...resized, filter: 'bilinear' })
  found.equal('resized_u8', [...small.values], golden.integers('out/resized_u8'))
  const { embedding } = await engine.encode(pixels)
  found.close('image_embedding', embedding, golden.floats('out/image_embedding'), 5e-4)
  const inFrame = (values: Float32Array) =>
    values.map((value, at) =>
      at % 2 === 0 ? (value * resized.width) / width : (value * resized.height) / height,
    )
  const points = inFrame(golden.floats('in/point_coords'))
  const labels = Float32Array.from(golden.integers('in/point_labels'))
  const boxes = inFrame(golden.floats('in/box'))
  const masks = golden.floats('in/mask_input')
  const point1 = { points: points.slice(0, 2), labels: labels.slice(0, 1) }
  const asked = {
    point1,
    points3: { points, labels },
    box: { boxes },
    points_box: { points, labels, boxes },
    mask_point: { ...point1, masks },
    mask_only: { masks },
  }
  const scale = scaleToPicture(pixels, engine.frame)
  const side = { height: engine.frame.maskRows, width: engine.frame.maskColumns }
  for (const [name, prompts] of Object.entries(asked)) {
    for (const [form, multimask] of [
      ['multi', true],
      ['single', false],
    ] as const) {
      const answer = await engine.decode(embedding, { count: 1, ...prompts }, { multimask })
      const where = `out/${name}.${form}`
      found.close(`${where}.low_res`, answer.logits, golden.floats(`${where}.low_res`), 2e-3)
      found.close(`${where}.iou`, answer.iouPredictions, golden.floats(`${where}.iou`), 1e-3)
      const each = side.height * side.width
      const large = Array.from({ length: answer.masks }, (_, mask) =>
        Array.from(scaled(answer.logits.subarray(mask * each, (mask + 1) * each), side, scale)),
      ).flat()
      found.close(`${where}.logits`, large, golden.floats(`${where}.logits`), 2e-3)
      if (golden.has(`${where}.mask`))
        found.equal(
          `${where}.mask`,
          large.map((logit) => Number(logit > 0)),
          golden.integers(`${where}.mask`),
        )
    }
  }
  return found
}
