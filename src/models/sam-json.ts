import { z } from 'zod'
import { BlvitError } from '../base/blvit-error.js'
import { parseWith } from '../base/parse.js'
import type { ConfigJson } from './architecture.js'
import { depth, epsilon, size } from './config-values.js'
import { type SamConfig, type SamParts, type SamRouting, samGrid } from './sam-config.js'
import { quotas } from './window-kinds.js'

// The keys of transformers' SamConfig, with its defaults, which are those of SAM ViT-B. What can't be said otherwise is refused.
const is = <Value extends string | number | boolean>(value: Value) => z.literal(value).default(value)

const visionKeys = z.looseObject({
  hidden_size: size.default(768),
  num_hidden_layers: depth.default(12),
  num_attention_heads: size.default(12),
  mlp_ratio: z.number().positive().max(1_000).default(4),
  mlp_dim: size.nullish(),
  output_channels: size.default(256),
  image_size: size.default(1024),
  patch_size: size.default(16),
  num_channels: is(3),
  hidden_act: is('gelu'),
  layer_norm_eps: epsilon.default(1e-6),
  qkv_bias: z.boolean().default(true),
  use_abs_pos: is(true),
  use_rel_pos: is(true),
  window_size: size.default(14),
  global_attn_indexes: z.array(z.int().min(0)).default([2, 5, 8, 11]),
})

const samPromptKeys = z.looseObject({
  mask_input_channels: size.default(16),
  num_point_embeddings: is(4),
  hidden_act: is('gelu'),
})

const samDecoderKeys = z.looseObject({
  mlp_dim: size.default(2048),
  num_hidden_layers: depth.default(2),
  num_attention_heads: size.default(8),
  attention_downsample_rate: size.default(2),
  num_multimask_outputs: size.max(100).default(3),
  iou_head_depth: depth.default(3),
  iou_head_hidden_dim: size.default(256),
  hidden_act: is('relu'),
  layer_norm_eps: epsilon.default(1e-6),
})

/** The keys of what stands behind an encoder. */
export const samPartKeys = {
  prompt_encoder_config: samPromptKeys.default(() => samPromptKeys.parse({})),
  mask_decoder_config: samDecoderKeys.default(() => samDecoderKeys.parse({})),
}

type SamPartValues = z.output<z.ZodObject<typeof samPartKeys>>

/** What makes an encoder a big.LITTLE one; layers are counted from 1, as in a bLViT's config.json. */
const routingKeys = z.strictObject({
  full_layers: z.int().min(0).max(1_000),
  predictor_after: z.array(size).min(1),
  keep_ratio: z.number().positive().max(1),
  little: z.strictObject({
    embed_dim: size,
    num_heads: size,
    mlp_ratio: z.number().positive().max(1_000).default(4),
    layers: z.array(size),
    initialisation: z.enum(['normal', 'zero']).default('normal'),
  }),
})

const schema = z.looseObject({
  quota: z.enum(quotas).default('proportional'),
  routing: routingKeys.nullish(),
  vision_config: visionKeys.default(() => visionKeys.parse({})),
  ...samPartKeys,
})

function checkRouting(
  { fullLayers, predictorAfter, little }: SamRouting,
  depth: number,
  complain: (text: string) => BlvitError,
): void {
  if (fullLayers >= depth)
    throw complain(`full_layers ${fullLayers} leaves none of the ${depth} layers to route`)
  const rising = predictorAfter.every((layer, i) => layer > (predictorAfter[i - 1] ?? 0))
  if (!rising || predictorAfter.some((layer) => layer >= depth)) {
    throw complain(`predictor_after [${predictorAfter}] must rise and stay below ${depth}`)
  }
  if ((predictorAfter[0] ?? depth) > fullLayers) {
    throw complain(
      `layer ${fullLayers + 1} routes tokens, but they are first chosen after layer ${predictorAfter[0]}`,
    )
  }
  if (little.width % little.heads !== 0) {
    throw complain(`little.embed_dim ${little.width} can't be shared by little.num_heads ${little.heads}`)
  }
  const outside = little.layers.filter((layer) => layer <= fullLayers || layer > depth)
  if (outside.length > 0) {
    throw complain(`little.layers ${outside} lie outside the routed layers ${fullLayers + 1}…${depth}`)
  }
}

function readRouting(given: z.output<typeof routingKeys>): SamRouting {
  const { embed_dim: width, num_heads: heads, mlp_ratio: mlpRatio, layers, initialisation } = given.little
  return {
    fullLayers: given.full_layers,
    predictorAfter: given.predictor_after,
    keepRatio: given.keep_ratio,
    little: { width, heads, mlpRatio, attention: true, layers, initialisation },
  }
}

function writeRouting({ fullLayers, predictorAfter, keepRatio, little }: SamRouting): ConfigJson {
  return {
    full_layers: fullLayers,
    predictor_after: predictorAfter,
    keep_ratio: keepRatio,
    little: {
      embed_dim: little.width,
      num_heads: little.heads,
      mlp_ratio: little.mlpRatio,
      layers: little.layers,
      initialisation: little.initialisation,
    },
  }
}

/** The complaint about a config.json whose values don't go together. */
export function invalid(text: string): BlvitError {
  return new BlvitError('BAD_CONFIG', `config.json is not valid: ${text}.`)
}

/** Places that windows may have together, 256 × 256: an attention map over more would hold 4 G numbers a head. */
const mostPlaces = 65_536

/** @param rows tokens on a side of the square grid @throws BlvitError `BAD_CONFIG` for windows that no memory holds */
export function checkWindow(window: number, rows: number): void {
  const places = (window * Math.ceil(rows / window)) ** 2
  if (places <= mostPlaces) return
  throw invalid(
    `windows of ${window} × ${window} over a grid of ${rows} × ${rows} tokens have ${places} places, and ${mostPlaces} are the most`,
  )
}

/** @throws BlvitError `BAD_CONFIG` for sizes behind the encoder that don't go together */
export function checkSamParts({ side, patchSize, width, decoder, maskChannels }: SamParts): void {
  if (side % patchSize !== 0) throw invalid(`image_size ${side} is no multiple of patch_size ${patchSize}`)
  if (width % 8 !== 0) throw invalid(`output_channels ${width} is no multiple of 8, which the masks need`)
  const shared = decoder.heads * decoder.downsample
  if (width % shared !== 0)
    throw invalid(
      `output_channels ${width} can't be shared by num_attention_heads ${decoder.heads} at an attention_downsample_rate of ${decoder.downsample}`,
    )
  if (maskChannels % 4 !== 0) throw invalid(`mask_input_channels ${maskChannels} is no multiple of 4`)
}

function checked(config: SamConfig): SamConfig {
  const { encoder } = config
  if (encoder.width % encoder.heads !== 0)
    throw invalid(`hidden_size ${encoder.width} can't be shared by num_attention_heads ${encoder.heads}`)
  const beyond = encoder.globalBlocks.find((block) => block >= encoder.depth)
  if (beyond !== undefined)
    throw invalid(`global_attn_indexes names block ${beyond}, but there are ${encoder.depth}, counted from 0`)
  checkSamParts(config)
  checkWindow(encoder.window, samGrid(config).rows)
  if (config.routing) checkRouting(config.routing, encoder.depth, invalid)
  return config
}

/** What stands behind an encoder, out of its keys. */
export function readSamParts({
  prompt_encoder_config: prompt,
  mask_decoder_config: decoder,
}: SamPartValues): Pick<SamParts, 'maskChannels' | 'decoder'> {
  return {
    maskChannels: prompt.mask_input_channels,
    decoder: {
      depth: decoder.num_hidden_layers,
      heads: decoder.num_attention_heads,
      mlpWidth: decoder.mlp_dim,
      downsample: decoder.attention_downsample_rate,
      layerNormEpsilon: decoder.layer_norm_eps,
      masks: decoder.num_multimask_outputs,
      iouDepth: decoder.iou_head_depth,
      iouWidth: decoder.iou_head_hidden_dim,
    },
  }
}

/** @throws BlvitError `BAD_CONFIG` naming every wrong key */
export function readSamConfig(json: ConfigJson): SamConfig {
  const parsed = parseWith(schema, json, 'config.json')
  const { vision_config: vision, routing, quota } = parsed
  return checked({
    family: 'sam',
    side: vision.image_size,
    patchSize: vision.patch_size,
    encoder: {
      kind: 'windowed-vit',
      width: vision.hidden_size,
      depth: vision.num_hidden_layers,
      heads: vision.num_attention_heads,
      mlpWidth: vision.mlp_dim ?? Math.trunc(vision.hidden_size * vision.mlp_ratio + 1e-6),
      qkvBias: vision.qkv_bias,
      window: vision.window_size,
      globalBlocks: vision.global_attn_indexes,
      layerNormEpsilon: vision.layer_norm_eps,
    },
    quota,
    ...(routing && { routing: readRouting(routing) }),
    width: vision.output_channels,
    ...readSamParts(parsed),
  })
}

/** The keys of what stands behind an encoder. */
export function writeSamParts({ width, maskChannels, decoder }: SamParts): ConfigJson {
  return {
    prompt_encoder_config: { hidden_size: width, mask_input_channels: maskChannels },
    mask_decoder_config: {
      hidden_size: width,
      mlp_dim: decoder.mlpWidth,
      num_hidden_layers: decoder.depth,
      num_attention_heads: decoder.heads,
      attention_downsample_rate: decoder.downsample,
      num_multimask_outputs: decoder.masks,
      iou_head_depth: decoder.iouDepth,
      iou_head_hidden_dim: decoder.iouWidth,
      layer_norm_eps: decoder.layerNormEpsilon,
    },
  }
}

export function writeSamConfig(config: SamConfig): ConfigJson {
  const { side, patchSize, encoder, quota, routing, width } = config
  return {
    model_type: 'sam',
    vision_config: {
      hidden_size: encoder.width,
      num_hidden_layers: encoder.depth,
      num_attention_heads: encoder.heads,
      mlp_dim: encoder.mlpWidth,
      output_channels: width,
      image_size: side,
      patch_size: patchSize,
      layer_norm_eps: encoder.layerNormEpsilon,
      qkv_bias: encoder.qkvBias,
      window_size: encoder.window,
      global_attn_indexes: encoder.globalBlocks,
    },
    // what other programs don't know is said only where it is not the usual
    ...(quota !== 'proportional' && { quota }),
    ...(routing && { routing: writeRouting(routing) }),
    ...writeSamParts(config),
  }
}
