import { z } from 'zod'
import { parseWith } from '../base/parse.js'
import type { ConfigJson } from './architecture.js'
import { checkShared } from './bad-config.js'
import { depth, epsilon, size } from './config-values.js'
import type { EfficientSamConfig } from './efficient-sam.js'
import {
  checkDecoder,
  checkPatches,
  checkWindow,
  maskDecoderKeys,
  readMaskDecoder,
  writeMaskDecoder,
} from './sam-parts-json.js'

// The keys of transformers' SamConfig where it has them; the defaults are EfficientSAM-Ti's.
const visionKeys = z.strictObject({
  hidden_size: size.default(192),
  num_hidden_layers: depth.default(12),
  num_attention_heads: size.default(3),
  mlp_dim: size.nullish(),
  output_channels: size.default(256),
  image_size: size.default(1024),
  patch_size: size.default(16),
  pretrain_image_size: size.default(224),
  layer_norm_eps: epsilon.default(1e-6),
})

const promptKeys = z.strictObject({ max_points: size.max(1_000).default(6) })

const decoderKeys = z.strictObject({
  ...maskDecoderKeys,
  iou_head_depth: depth.default(2),
  upscaling_layer_dims: z.tuple([size, size]).default([64, 32]),
})

const schema = z.looseObject({
  vision_config: visionKeys.default(() => visionKeys.parse({})),
  prompt_encoder_config: promptKeys.default(() => promptKeys.parse({})),
  mask_decoder_config: decoderKeys.default(() => decoderKeys.parse({})),
})

/** @throws BlvitError `BAD_CONFIG` for sizes that don't go together */
function checked(config: EfficientSamConfig): EfficientSamConfig {
  const { side, patchSize, encoder, width, decoder } = config
  for (const [key, length] of [
    ['image_size', side],
    ['pretrain_image_size', encoder.pretrainedSide],
  ] as const) {
    checkPatches(key, length, patchSize)
    // all tokens see each other, as in one window
    checkWindow(length / patchSize, length / patchSize)
  }
  checkShared({ hidden_size: encoder.width }, { num_attention_heads: encoder.heads })
  checkDecoder(width, decoder)
  return config
}

/** @throws BlvitError `BAD_CONFIG` naming every wrong key */
export function readEfficientSamConfig(json: ConfigJson): EfficientSamConfig {
  const {
    vision_config: vision,
    prompt_encoder_config: prompt,
    mask_decoder_config: decoder,
  } = parseWith(schema, json, 'config.json')
  return checked({
    family: 'efficient-sam',
    side: vision.image_size,
    patchSize: vision.patch_size,
    encoder: {
      width: vision.hidden_size,
      depth: vision.num_hidden_layers,
      heads: vision.num_attention_heads,
      mlpWidth: vision.mlp_dim ?? 4 * vision.hidden_size,
      pretrainedSide: vision.pretrain_image_size,
      layerNormEpsilon: vision.layer_norm_eps,
    },
    width: vision.output_channels,
    points: prompt.max_points,
    decoder: { ...readMaskDecoder(decoder), upscaling: decoder.upscaling_layer_dims },
  })
}

export function writeEfficientSamConfig({
  side,
  patchSize,
  encoder,
  width,
  points,
  decoder,
}: EfficientSamConfig): ConfigJson {
  return {
    model_type: 'efficient_sam',
    vision_config: {
      hidden_size: encoder.width,
      num_hidden_layers: encoder.depth,
      num_attention_heads: encoder.heads,
      mlp_dim: encoder.mlpWidth,
      output_channels: width,
      image_size: side,
      patch_size: patchSize,
      pretrain_image_size: encoder.pretrainedSide,
      layer_norm_eps: encoder.layerNormEpsilon,
    },
    prompt_encoder_config: { max_points: points },
    mask_decoder_config: { ...writeMaskDecoder(decoder), upscaling_layer_dims: decoder.upscaling },
  }
}
