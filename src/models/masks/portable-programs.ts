import { symbol, times } from '../../graph/dim.js'
import {
  add,
  argmax,
  concat,
  constant,
  equal,
  expand,
  input,
  mapToTokens,
  matmul,
  multiply,
  oneHot,
  reduceSum,
  reshape,
  restorePicture,
  scaleShift,
  slice,
  table,
} from '../../graph/ops/index.js'
import { scope } from '../../graph/scope.js'
import { sizeAt, type Tensor } from '../../graph/tensor.js'
import { placesOf, tokensToMap } from '../../nn/convolution.js'
import type { PortablePrograms, Program } from '../model-definition.js'
import { type DecodedMasks, type MaskDecoderConfig, maskDecoder } from './mask-decoder.js'
import {
  gridEncoding,
  maskTokens,
  noMaskToken,
  noPoint,
  type PromptEncoderConfig,
  pointTokens,
  promptInputs,
} from './prompt-encoder.js'

/** In a row of transformers' labels: no point, and nothing in its place. */
const padding = -10

/** The one of an answer's masks that a prompt is about: of one click the best of all, of several the single mask. */
function bestOf({ logits, iouPredictions }: DecodedMasks, points: ReturnType<typeof sizeAt>) {
  const masks = Number(sizeAt(iouPredictions, 1))
  const { rows, columns } = placesOf(logits)
  return scope('single', () => {
    // official rule: IoU + (points − 2.5)·1000 of the single mask, the point that is none counts too
    const count = reduceSum(constant(1, [1, points]), { axes: [1] })
    const lead = scaleShift(count, { scale: 1000, shift: -2500 })
    const first = Array.from({ length: masks }, (_, mask) => Number(mask === 0))
    const scores = add(iouPredictions, multiply(lead, table(first, [1, masks])))
    const chosen = reshape(oneHot(argmax(scores), { classes: masks }), [1, 1, masks])
    const picked = (x: Tensor, each: number) => matmul(chosen, reshape(x, [1, masks, each]))
    return {
      logits: reshape(picked(logits, rows * columns), [1, 1, rows, columns]),
      iouPredictions: reshape(picked(iouPredictions, 1), [1, 1]),
    }
  })
}

/**
 * Points and corners in the frame's pixels, none of them added here: who has no box puts (0, 0) with label −1 behind its points.
 * Source: `segment_anything/utils/onnx.py`.
 */
function officialDecoder(
  prompts: PromptEncoderConfig,
  decoder: MaskDecoderConfig,
  { single }: { single: boolean },
): Program {
  const { width, grid, frame } = prompts
  const points = symbol('points')
  const coordinates = input(promptInputs.coordinates, [1, points, 2])
  const labels = input(promptInputs.labels, [1, points])
  const masks = input(promptInputs.masks, [1, 1, 4 * grid.rows, 4 * grid.columns])
  const hasMask = reshape(input('has_mask_input', [1]), [1, 1, 1])
  const size = input('orig_im_size', [2])
  const embedding = mapToTokens(input(promptInputs.embedding, [1, width, grid.rows, grid.columns]))
  const dense = add(
    multiply(maskTokens(masks, prompts), hasMask),
    multiply(noMaskToken(prompts), scaleShift(hasMask, { scale: -1, shift: 1 })),
  )
  const decoded = maskDecoder(
    {
      image: add(embedding, dense),
      places: gridEncoding(prompts),
      sparse: pointTokens({ coordinates, labels }, prompts),
      grid,
    },
    decoder,
  )
  const { logits, iouPredictions } = single ? bestOf(decoded, points) : decoded
  return {
    masks: scope('postprocess', () => restorePicture(logits, size, { side: frame.width })),
    iou_predictions: iouPredictions,
    low_res_masks: logits,
  }
}

/** One thing for each of several prompts of each picture. @param x `[batch, …]` @returns `[batch·prompts, …]` */
function ofPrompts(x: Tensor, prompts: ReturnType<typeof sizeAt>): Tensor {
  const [batch, ...each] = [sizeAt(x, 0), ...x.shape.slice(1)]
  const one = reshape(x, [batch, 1, ...each])
  return reshape(expand(one, [batch, prompts, ...each]), [times(batch, prompts), ...each])
}

/** Labels as the numbers that they are; those that aren't known as 0. @param labels int64 `[prompts, points]` */
function numbersOf(labels: Tensor, known: readonly number[]): Tensor {
  const terms = known.map((label) =>
    scaleShift(equal(labels, table([label], [1, 1], { dtype: 'int64' })), { scale: label }),
  )
  return terms.reduce((sum, term) => add(sum, term))
}

/**
 * Several prompts of several pictures, all of equally many points, each answered by three masks; boxes and masks are no prompts
 * there. Source: transformers' `SamModel` and its ONNX form by optimum, `prompt_encoder_mask_decoder.onnx`.
 */
function promptDecoder(prompts: PromptEncoderConfig, decoder: MaskDecoderConfig): Program {
  const { width, grid } = prompts
  const [batch, count, points] = [
    symbol('batch_size'),
    symbol('point_batch_size'),
    symbol('nb_points_per_image'),
  ]
  const map = (name: string) => mapToTokens(input(name, [batch, width, grid.rows, grid.columns]))
  const [image, places] = [map('image_embeddings'), map('image_positional_embeddings')]
  const rows = times(batch, count)
  const given = {
    coordinates: reshape(input('input_points', [batch, count, points, 2]), [rows, points, 2]),
    labels: reshape(input('input_labels', [batch, count, points], { dtype: 'int64' }), [rows, points]),
  }
  // without boxes SAM puts a point that is none behind the others
  const coordinates = concat([given.coordinates, constant(0, [rows, 1, 2])], { axis: 1 })
  const none = expand(table([noPoint], [1, 1], { dtype: 'int64' }), [rows, 1])
  const labels = numbersOf(concat([given.labels, none], { axis: 1 }), [padding, noPoint, 1])
  const isThere = scaleShift(equal(labels, padding), { scale: -1, shift: 1 })
  const sparse = multiply(
    pointTokens({ coordinates, labels }, prompts),
    reshape(isThere, [rows, sizeAt(labels, 1), 1]),
  )
  const { logits, iouPredictions } = maskDecoder(
    {
      image: ofPrompts(add(image, noMaskToken(prompts)), count),
      places: ofPrompts(places, count),
      sparse,
      grid,
    },
    decoder,
  )
  const { rows: down, columns: across } = placesOf(logits)
  const several = (x: Tensor) => slice(x, { axis: 1, start: 1 })
  return {
    pred_masks: reshape(several(logits), [batch, count, decoder.masks, down, across]),
    iou_scores: reshape(several(iouPredictions), [batch, count, decoder.masks]),
  }
}

/** What transformers keeps of a picture: its embedding, and the encoding of the places of that. */
function visionEncoder(embedding: Tensor, prompts: PromptEncoderConfig): Program {
  const places = tokensToMap(gridEncoding(prompts), prompts.grid)
  return {
    image_embeddings: embedding,
    image_positional_embeddings: expand(places, embedding.shape),
  }
}

/** @param embedding of the model's encoder. `[batch, width, rows, columns]` */
export function portablePrograms(
  embedding: Tensor,
  prompts: PromptEncoderConfig,
  decoder: MaskDecoderConfig,
): PortablePrograms {
  return {
    officialDecoder: (options) => officialDecoder(prompts, decoder, options),
    visionEncoder: () => visionEncoder(embedding, prompts),
    promptDecoder: () => promptDecoder(prompts, decoder),
  }
}
