import { z } from 'zod'
import type { ConfigJson } from './architecture.js'
import { badConfig } from './bad-config.js'
import { depth, epsilon, only, size } from './config-values.js'
import type { SamParts } from './sam-config.js'

// What stands behind the encoders of Segment Anything, MobileSAM and EfficientSAM: the keys of transformers' SamConfig with its
// defaults. What can't be said otherwise is refused.

const samPromptKeys = z.looseObject({
  mask_input_channels: size.default(16),
  num_point_embeddings: only(4),
  hidden_act: only('gelu'),
})

/** Of every mask decoder. */
export const maskDecoderKeys = {
  mlp_dim: size.default(2048),
  num_hidden_layers: depth.default(2),
  num_attention_heads: size.default(8),
  attention_downsample_rate: size.default(2),
  num_multimask_outputs: size.max(100).default(3),
  iou_head_depth: depth.default(3),
  iou_head_hidden_dim: size.default(256),
}

const samDecoderKeys = z.looseObject({
  ...maskDecoderKeys,
  hidden_act: only('relu'),
  layer_norm_eps: epsilon.default(1e-6),
})

/** The keys of what stands behind an encoder. */
export const samPartKeys = {
  prompt_encoder_config: samPromptKeys.default(() => samPromptKeys.parse({})),
  mask_decoder_config: samDecoderKeys.default(() => samDecoderKeys.parse({})),
}

type SamPartValues = z.output<z.ZodObject<typeof samPartKeys>>
type MaskDecoderValues = z.output<z.ZodObject<typeof maskDecoderKeys>>
type MaskDecoderSizes = Omit<SamParts['decoder'], 'layerNormEpsilon'>

/** Places that windows may have together, 256 × 256: an attention map over more would hold 4 G numbers a head. */
const mostPlaces = 65_536

/** @param rows tokens on a side of the square grid @throws BlvitError `BAD_CONFIG` for windows that no memory holds */
export function checkWindow(window: number, rows: number): void {
  const places = (window * Math.ceil(rows / window)) ** 2
  if (places <= mostPlaces) return
  throw badConfig(
    `windows of ${window} × ${window} over a grid of ${rows} × ${rows} tokens have ${places} places, and ${mostPlaces} are the most`,
  )
}

/** @throws BlvitError `BAD_CONFIG` for sides that patches don't fill */
export function checkPatches(key: string, side: number, patchSize: number): void {
  if (side % patchSize !== 0) throw badConfig(`${key} ${side} is no multiple of patch_size ${patchSize}`)
}

/** @throws BlvitError `BAD_CONFIG` for a decoder whose heads can't share an embedding */
export function checkDecoder(
  width: number,
  { heads, downsample }: Pick<MaskDecoderSizes, 'heads' | 'downsample'>,
): void {
  if (width % (heads * downsample) === 0) return
  throw badConfig(
    `output_channels ${width} can't be shared by num_attention_heads ${heads} at an attention_downsample_rate of ${downsample}`,
  )
}

/** @throws BlvitError `BAD_CONFIG` for sizes behind the encoder that don't go together */
export function checkSamParts({ side, patchSize, width, decoder, maskChannels }: SamParts): void {
  checkPatches('image_size', side, patchSize)
  if (width % 8 !== 0) throw badConfig(`output_channels ${width} is no multiple of 8, which the masks need`)
  checkDecoder(width, decoder)
  if (maskChannels % 4 !== 0) throw badConfig(`mask_input_channels ${maskChannels} is no multiple of 4`)
}

export function readMaskDecoder(values: MaskDecoderValues): MaskDecoderSizes {
  return {
    depth: values.num_hidden_layers,
    heads: values.num_attention_heads,
    mlpWidth: values.mlp_dim,
    downsample: values.attention_downsample_rate,
    masks: values.num_multimask_outputs,
    iouDepth: values.iou_head_depth,
    iouWidth: values.iou_head_hidden_dim,
  }
}

export function writeMaskDecoder(decoder: MaskDecoderSizes): MaskDecoderValues {
  return {
    mlp_dim: decoder.mlpWidth,
    num_hidden_layers: decoder.depth,
    num_attention_heads: decoder.heads,
    attention_downsample_rate: decoder.downsample,
    num_multimask_outputs: decoder.masks,
    iou_head_depth: decoder.iouDepth,
    iou_head_hidden_dim: decoder.iouWidth,
  }
}

/** What stands behind an encoder, out of its keys. */
export function readSamParts({
  prompt_encoder_config: prompt,
  mask_decoder_config: decoder,
}: SamPartValues): Pick<SamParts, 'maskChannels' | 'decoder'> {
  return {
    maskChannels: prompt.mask_input_channels,
    decoder: { ...readMaskDecoder(decoder), layerNormEpsilon: decoder.layer_norm_eps },
  }
}

/** The keys of what stands behind an encoder. */
export function writeSamParts({ width, maskChannels, decoder }: SamParts): ConfigJson {
  return {
    prompt_encoder_config: { hidden_size: width, mask_input_channels: maskChannels },
    mask_decoder_config: {
      hidden_size: width,
      ...writeMaskDecoder(decoder),
      layer_norm_eps: decoder.layerNormEpsilon,
    },
  }
}
