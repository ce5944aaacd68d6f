import { defined } from '../base/assert.js'
import { symbol } from '../graph/dim.js'
import { truncatedNormal } from '../graph/initialiser.js'
import { add, input, mapToTokens, parameter, resizeBicubic, slice } from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import type { Tensor } from '../graph/tensor.js'
import { tokensToMap } from '../nn/convolution.js'
import { wholeNorm } from '../nn/group-norm.js'
import { patchEmbed } from '../nn/patch-embed.js'
import { type BlockHooks, blockLoop } from './block-loop.js'
import type { MaskDecoderConfig } from './masks/mask-decoder.js'
import { maskPrograms } from './masks/mask-programs.js'
import { mapEpsilon, neck } from './masks/neck.js'
import { noPoint, type PromptEncoderConfig } from './masks/prompt-encoder.js'
import { type BuildOptions, type ModelDefinition, pixelsInput } from './model-definition.js'
import { usualSwitches, type VitShape } from './vit-config.js'

/** EfficientSAM (Xiong et al. 2024): a plain ViT, pretrained to give what SAM's encoder gives, and a decoder of its own. */
export interface EfficientSamConfig {
  readonly family: 'efficient-sam'
  /** Side of the frame in pixels; a multiple of the patch size. */
  readonly side: number
  readonly patchSize: number
  readonly encoder: {
    readonly width: number
    readonly depth: number
    readonly heads: number
    readonly mlpWidth: number
    /** Side of the pictures that its position embedding was learned on, in pixels. */
    readonly pretrainedSide: number
    readonly layerNormEpsilon: number
  }
  /** Width of an embedding and of all tokens behind it. */
  readonly width: number
  /** Points that every prompt is filled up to. */
  readonly points: number
  readonly decoder: {
    readonly depth: number
    readonly heads: number
    readonly mlpWidth: number
    readonly downsample: number
    /** Masks that a prompt is answered with beside the single one. */
    readonly masks: number
    /** Linear maps before the last one that predicts IoUs. */
    readonly iouDepth: number
    readonly iouWidth: number
    /** Channels of the maps that masks are made of, at twice and at four times the size of an embedding. */
    readonly upscaling: readonly [number, number]
  }
}

/** PyTorch's own, of LayerNorm and GroupNorm. */
const decoderEpsilon = 1e-5

/** Patches of a picture. */
export function efficientSamGrid({ side, patchSize }: Pick<EfficientSamConfig, 'side' | 'patchSize'>) {
  return { rows: side / patchSize, columns: side / patchSize }
}

/** The encoder's blocks, which are a plain ViT's without prefix tokens. */
function encoderShape({ side, patchSize, encoder }: EfficientSamConfig): VitShape {
  const { width, depth, heads, mlpWidth, layerNormEpsilon } = encoder
  return {
    ...usualSwitches({ distilled: false }),
    ...{ classToken: false, embeddedPrefix: 0, finalNorm: 'none', pooling: 'mean', distilled: false },
    ...{ image: { height: side, width: side }, patchSize, channels: 3, classes: 0 },
    ...{ width, depth, heads, mlpRatio: mlpWidth / width, layerNormEpsilon },
  }
}

/** The position embedding on the grid of the pictures; its first row is a class token's, which is gone. `[1, patches, width]` */
function positions(config: EfficientSamConfig): Tensor {
  const { patchSize, encoder } = config
  const learned = encoder.pretrainedSide / patchSize
  const stored = parameter('pos_embed', [1, 1 + learned * learned, encoder.width], truncatedNormal)
  const map = tokensToMap(slice(stored, { axis: 1, start: 1 }), { rows: learned, columns: learned })
  const { rows: height, columns: width } = efficientSamGrid(config)
  return mapToTokens(height === learned && width === learned ? map : resizeBicubic(map, { height, width }))
}

/** The pictures in their frame, normalised. `[batch, 3, side, side]` */
export function efficientSamPixels({ side }: EfficientSamConfig): Tensor {
  return input(pixelsInput, [symbol('batch'), 3, side, side])
}

/** What stands on the patches beside what they look like, and the embedding of a picture. */
interface EfficientEncoded {
  /** `[1, patches, width of the encoder]` */
  readonly positions: Tensor
  /** `[batch, width, rows, columns]` */
  readonly embedding: Tensor
}

/** EfficientSAM's image encoder. @param hooks look into its blocks */
export function efficientSamEncoder(
  pixels: Tensor,
  config: EfficientSamConfig,
  hooks: BlockHooks = {},
): EfficientEncoded {
  return scope('image_encoder', () => {
    const { patchSize, encoder } = config
    const placed = positions(config)
    const patches = add(patchEmbed(pixels, { patchSize, width: encoder.width }), placed)
    const { tokens } = blockLoop(patches, encoderShape(config), hooks)
    const steps = neck(tokensToMap(tokens, efficientSamGrid(config)), config)
    return { positions: placed, embedding: defined(steps.at(-1), 'an embedding') }
  })
}

/** How it turns points and corners into tokens: it knows none of what is outside, and no masks. */
export function efficientSamPrompts(config: EfficientSamConfig): PromptEncoderConfig {
  const { side, width } = config
  return {
    width,
    frame: { height: side, width: side },
    grid: efficientSamGrid(config),
    labels: new Map([
      [noPoint, 'invalid_points'],
      [1, 'point_embeddings'],
      [2, 'bbox_top_left_embeddings'],
      [3, 'bbox_bottom_right_embeddings'],
    ]),
    noPointKeepsPlace: true,
    maskChannels: undefined,
    layerNormEpsilon: mapEpsilon,
  }
}

/** How it turns tokens into masks. */
function efficientSamDecoder({ width, decoder }: EfficientSamConfig): MaskDecoderConfig {
  const { depth, heads, mlpWidth, downsample, masks, iouDepth, iouWidth } = decoder
  const names = (hidden: number) => [...Array.from({ length: hidden }, (_, at) => `layers.${at}.0`), 'fc']
  const activation = 'gelu'
  return {
    width,
    transformer: {
      ...{ depth, heads, mlpWidth, downsample, layerNormEpsilon: decoderEpsilon },
      ...{ activation, mlpNames: names(1), addsAlways: true },
    },
    ...{ masks, iouWidth, activation },
    maskNames: names(2),
    iouNames: names(iouDepth),
    upscaling: {
      first: 'final_output_upscaling_layers.0.0',
      second: 'final_output_upscaling_layers.1.0',
      channels: decoder.upscaling,
      norm: (tokens) => wholeNorm('final_output_upscaling_layers.0.1', tokens, { epsilon: decoderEpsilon }),
    },
  }
}

/** EfficientSAM: `encode` makes an embedding of a picture, `decode` masks of an embedding for points and boxes. */
export function efficientSam(
  config: EfficientSamConfig,
  { promptsPerPicture }: BuildOptions = {},
): ModelDefinition {
  const { embedding } = efficientSamEncoder(efficientSamPixels(config), config)
  return {
    programs: maskPrograms(embedding, efficientSamPrompts(config), efficientSamDecoder(config), {
      promptsPerPicture,
    }),
    history: [],
    sizes: [],
  }
}
