import { layerNorm, placesNorm } from '../nn/layer-norm.js'
import type { MaskDecoderConfig } from './masks/mask-decoder.js'
import { maskPrograms } from './masks/mask-programs.js'
import { mapEpsilon } from './masks/neck.js'
import { portablePrograms } from './masks/portable-programs.js'
import { noPoint, type PromptEncoderConfig } from './masks/prompt-encoder.js'
import type { BuildOptions, ModelDefinition } from './model-definition.js'
import { type SamConfig, type SamParts, samGrid } from './sam-config.js'
import { samEncoder, samPixels } from './sam-encoder.js'

/** How SAM turns prompts into tokens. */
export function samPrompts(config: SamParts): PromptEncoderConfig {
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
export function samDecoder({ width, decoder }: SamParts): MaskDecoderConfig {
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
      channels: [width / 4, width / 8],
      norm: (tokens) => layerNorm('output_upscaling.1', tokens, { ...placesNorm, epsilon: mapEpsilon }),
    },
  }
}

/**
 * Segment Anything: `encode` makes an embedding of a picture, `decode` masks of an embedding for points and boxes, `refine` the
 * same with masks among the prompts.
 */
export function sam(
  config: SamConfig,
  { hooks, keepRatio, promptsPerPicture }: BuildOptions = {},
): ModelDefinition {
  const { routing } = config
  const asked =
    routing && keepRatio !== undefined ? { ...config, routing: { ...routing, keepRatio } } : config
  const { embedding, state } = samEncoder(samPixels(config), asked, { hooks })
  const [prompts, decoder] = [samPrompts(config), samDecoder(config)]
  return {
    programs: maskPrograms(embedding, prompts, decoder, { promptsPerPicture }),
    history: state.history,
    sizes: [],
    training: state.training,
    portable: portablePrograms(embedding, prompts, decoder),
  }
}
