import { type Dim, times } from '../graph/dim.js'
import { add, expand, input, mapToTokens, reshape } from '../graph/ops/index.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import { layerNorm2d } from '../nn/layer-norm.js'
import { type DecodedMasks, type MaskDecoderConfig, maskDecoder } from './masks/mask-decoder.js'
import {
  gridEncoding,
  maskInput,
  maskTokens,
  noMaskToken,
  noPoint,
  type PromptEncoderConfig,
  pointInputs,
  pointTokens,
  promptInputs,
} from './masks/prompt-encoder.js'
import type { BuildOptions, ModelDefinition } from './model-definition.js'
import { mapEpsilon, type SamConfig, samGrid } from './sam-config.js'
import { samEncoder, samPixels } from './sam-encoder.js'

/** How SAM turns prompts into tokens. */
export function samPrompts(config: SamConfig): PromptEncoderConfig {
  const { side, width, maskChannels } = config
  return {
    width,
    frame: { height: side, width: side },
    grid: samGrid(config),
    labels: new Map([
      [noPoint, 'not_a_point_embed'],
      ...[0, 1, 2, 3].map((label) => [label, `point_embeddings.${label}`] as const),
    ]),
    noPointKeepsPlace: false,
    maskChannels,
    layerNormEpsilon: mapEpsilon,
  }
}

/** How SAM turns tokens into masks. */
export function samDecoder({ width, decoder }: SamConfig): MaskDecoderConfig {
  const { masks, iouDepth, iouWidth, ...transformer } = decoder
  const layers = (count: number) => Array.from({ length: count }, (_, at) => `layers.${at}`)
  return {
    width,
    transformer: { ...transformer, activation: 'relu', mlpNames: ['lin1', 'lin2'], addsAlways: false },
    ...{ masks, iouWidth, activation: 'relu' },
    maskNames: layers(3),
    iouNames: layers(iouDepth),
    upscaling: {
      ...{ first: 'output_upscaling.0', second: 'output_upscaling.3' },
      norm: (map) => layerNorm2d('output_upscaling.1', map, { epsilon: mapEpsilon }),
    },
  }
}

/** An embedding, fed at each run. `[1, width, rows, columns]` */
function embeddingInput({ width, grid }: PromptEncoderConfig): Tensor {
  return input(promptInputs.embedding, [1, width, grid.rows, grid.columns])
}

/** Masks of an embedding for points and corners that are fed, and for masks where `masks` is given. */
function decode(
  prompts: PromptEncoderConfig,
  decoder: MaskDecoderConfig,
  { masks }: { masks?: Tensor } = {},
): DecodedMasks {
  const embedding = mapToTokens(embeddingInput(prompts))
  const dense = masks ? maskTokens(masks, prompts) : noMaskToken(prompts)
  return masksFor(pointInputs(), add(embedding, dense), { prompts, decoder })
}

/** @param image `[1 or prompts, places, width]` */
function masksFor(
  points: ReturnType<typeof pointInputs>,
  image: Tensor,
  { prompts, decoder }: { prompts: PromptEncoderConfig; decoder: MaskDecoderConfig },
): DecodedMasks {
  const sparse = pointTokens(points, prompts)
  return maskDecoder({ image, places: gridEncoding(prompts), sparse, grid: prompts.grid }, decoder)
}

/** Each picture of a batch is asked equally often, and its embedding is there for each of its prompts. */
function answerEach(
  embedding: Tensor,
  each: number,
  { prompts, decoder }: { prompts: PromptEncoderConfig; decoder: MaskDecoderConfig },
): DecodedMasks {
  const image = add(mapToTokens(embedding), noMaskToken(prompts))
  const [batch, places, width] = [0, 1, 2].map((axis) => sizeAt(image, axis)) as [Dim, Dim, Dim]
  const all = times(batch, each)
  const repeated = expand(reshape(image, [batch, 1, places, width]), [batch, each, places, width])
  return masksFor(pointInputs(all), reshape(repeated, [all, places, width]), { prompts, decoder })
}

function outputsOf({ logits, iouPredictions }: DecodedMasks) {
  return { low_res_masks: logits, iou_predictions: iouPredictions }
}

/**
 * Segment Anything: `encode` makes an embedding of a picture, `decode` masks of an embedding for points and boxes, `refine` the
 * same with masks among the prompts; `answer`, where `promptsPerPicture` asks for it, all of it at once for a batch of pictures.
 */
export function sam(config: SamConfig, { hooks, promptsPerPicture }: BuildOptions = {}): ModelDefinition {
  const { embedding, state } = samEncoder(samPixels(config), config, { hooks })
  const [prompts, decoder] = [samPrompts(config), samDecoder(config)]
  return {
    programs: {
      encode: { image_embeddings: embedding },
      decode: outputsOf(decode(prompts, decoder)),
      refine: outputsOf(decode(prompts, decoder, { masks: maskInput(prompts) })),
      ...(promptsPerPicture !== undefined && {
        answer: outputsOf(answerEach(embedding, promptsPerPicture, { prompts, decoder })),
      }),
    },
    history: state.history,
    sizes: [],
    training: state.training,
  }
}
