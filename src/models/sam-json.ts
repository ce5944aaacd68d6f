import { z } from 'zod'
import { parseWith } from '../base/parse.js'
import type { ConfigJson } from './architecture.js'
import { badConfig, checkShared } from './bad-config.js'
import { checkRouting } from './check-routing.js'
import { depth, epsilon, only, size } from './config-values.js'
import { type SamConfig, type SamRouting, samGrid } from './sam-config.js'
import { checkSamParts, checkWindow, readSamParts, samPartKeys, writeSamParts } from './sam-parts-json.js'
import { quotas } from './window-kinds.js'

// The keys of transformers' SamConfig, with its defaults, which are those of SAM ViT-B. What can't be said otherwise is refused.
const visionKeys = z.looseObject({
  hidden_size: size.default(768),
  num_hidden_layers: depth.default(12),
  num_attention_heads: size.default(12),
  mlp_ratio: z.number().positive().max(1_000).default(4),
  mlp_dim: size.nullish(),
  output_channels: size.default(256),
  image_size: size.default(1024),
  patch_size: size.default(16),
  num_channels: only(3),
  hidden_act: only('gelu'),
  layer_norm_eps: epsilon.default(1e-6),
  qkv_bias: z.boolean().default(true),
  use_abs_pos: only(true),
  use_rel_pos: only(true),
  window_size: size.default(14),
  global_attn_indexes: z.array(z.int().min(0)).default([2, 5, 8, 11]),
})

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

function checked(config: SamConfig): SamConfig {
  const { encoder } = config
  checkShared({ hidden_size: encoder.width }, { num_attention_heads: encoder.heads })
  const beyond = encoder.globalBlocks.find((block) => block >= encoder.depth)
  if (beyond !== undefined)
    throw badConfig(
      `global_attn_indexes names block ${beyond}, but there are ${encoder.depth}, counted from 0`,
    )
  checkSamParts(config)
  checkWindow(encoder.window, samGrid(config).rows)
  if (config.routing) checkRouting({ ...config.routing, depth: encoder.depth })
  return config
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
