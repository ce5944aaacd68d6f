import { add, input, mapToTokens } from '../graph/ops/index.js'
import type { Tensor } from '../graph/tensor.js'
import { layerNorm2d } from '../nn/layer-norm.js'
import { type DecodedMasks, type MaskDecoderConfig, maskDecoder } from './masks/mask-decoder.js'
import { portablePrograms } from './masks/portable-programs.js'
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
  return maskDecoder(
    {
      image: add(embedding, dense),
      places: gridEncoding(prompts),
      sparse: pointTokens(pointInputs(), prompts),
      grid: prompts.grid,
    },
    decoder,
  )
}

function outputsOf({ logits, iouPredictions }: DecodedMasks) {
  return { low_res_masks: logits, iou_predictions: iouPredictions }
}

/**
 * Segment Anything: `encode` makes an embedding of a picture, `decode` masks of an embedding for points and boxes, `refine` the
 * same with masks among the prompts.
 */
export function sam(config: SamConfig, { hooks, keepRatio }: BuildOptions = {}): ModelDefinition {
  const { routing } = config
  const asked =
    routing && keepRatio !== undefined ? { ...config, routing: { ...routing, keepRatio } } : config
  const { embedding, state } = samEncoder(samPixels(config), asked, { hooks })
  const [prompts, decoder] = [samPrompts(config), samDecoder(config)]
  return {
    programs: {
      encode: { image_embeddings: embedding },
      decode: outputsOf(decode(prompts, decoder)),
      refine: outputsOf(decode(prompts, decoder, { masks: maskInput(prompts) })),
    },
    history: state.history,
    sizes: [],
    training: state.training,
    portable: portablePrograms(embedding, prompts, decoder),
  }
}
