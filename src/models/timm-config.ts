import { z } from 'zod'
import { BlvitError } from '../base/blvit-error.js'
import { parseWith } from '../base/parse.js'
import type { ActivationName } from '../nn/activations.js'
import type { ConfigJson } from './architecture.js'
import { badConfig } from './bad-config.js'
import { classCount, depth, epsilon, imageOf, imageSize, patchSize, ratio, size } from './config-values.js'
import { positionResamplings } from './facts.js'
import { argumentsOfName, whyUnsupported } from './timm-architectures.js'
import { refuseContradictions, timmKeys } from './timm-form.js'
import { prefixCount, usualSwitches, type VitShape } from './vit-config.js'

/** timm's names of activations; it takes several spellings. */
const activationNames: Readonly<Record<string, ActivationName>> = {
  gelu: 'gelu',
  gelu_tanh: 'gelu_tanh',
  quick_gelu: 'quick_gelu',
  quickgelu: 'quick_gelu',
  relu: 'relu',
  silu: 'silu',
  swish: 'silu',
}

/** timm's default epsilon of LayerNorm, which its names `layernorm` and none mean. */
const layerNormEpsilon = 1e-6

const flag = z.boolean().nullish()
/** A switch that must stay off. */
const off = (reason: string) => z.union([z.literal(false), z.null()], reason).optional()
/** A part that timm lets a program replace. */
const plain = (part: string) => z.null(`blvit has timm's plain ${part} only`).optional()
/** Decides something in training only. */
const trainingOnly = z.unknown().optional()

/** Every argument of timm's `VisionTransformer`, each honoured or refused. */
const vitArguments = {
  img_size: imageSize.optional(),
  patch_size: patchSize.optional(),
  in_chans: size.optional(),
  num_classes: classCount.optional(),
  global_pool: z
    .enum(
      ['', 'token', 'avg', 'token+avg'],
      'blvit reads the class token ("token") or the mean of the patches ("avg")',
    )
    .optional(),
  embed_dim: size.optional(),
  depth: depth.optional(),
  num_heads: size.optional(),
  mlp_ratio: ratio.optional(),
  qkv_bias: flag,
  qk_norm: flag,
  scale_attn_norm: off('blvit has no norm inside attention'),
  scale_mlp_norm: off('blvit has no norm inside the MLP'),
  proj_bias: flag,
  init_values: z.number().nullish(),
  class_token: flag,
  pos_embed: z.enum(['', 'none', 'learn']).optional(),
  no_embed_class: flag,
  reg_tokens: z.int().min(0).max(65_536).nullish(),
  pre_norm: flag,
  final_norm: flag,
  fc_norm: flag,
  pool_include_prefix: off('blvit pools the patches alone'),
  dynamic_img_size: flag,
  dynamic_img_pad: off('blvit takes pictures of one size'),
  drop_rate: trainingOnly,
  pos_drop_rate: trainingOnly,
  patch_drop_rate: trainingOnly,
  proj_drop_rate: trainingOnly,
  attn_drop_rate: trainingOnly,
  drop_path_rate: trainingOnly,
  weight_init: trainingOnly,
  fix_init: trainingOnly,
  embed_layer: plain('embedding of patches'),
  embed_norm_layer: plain('embedding of patches, without a norm'),
  norm_layer: z.enum(['layernorm', 'LayerNorm'], 'blvit has LayerNorm only').nullish(),
  act_layer: z
    .string()
    .refine(
      (name) => Object.hasOwn(activationNames, name),
      `blvit has ${Object.keys(activationNames).join(', ')} only`,
    )
    .nullish(),
  block_fn: plain('block'),
  mlp_layer: plain('MLP, no SwiGLU'),
  attn_layer: plain('attention'),
  device: trainingOnly,
  dtype: trainingOnly,
}

/** What timm's functions take beside them. */
const modelArguments = z.lazy(() => z.strictObject({ ...vitArguments, distilled: flag }))

/** The arguments of timm's ViT at the top level, where we write them, and what it has no word for. */
const ownArguments = {
  ...vitArguments,
  num_features: size.optional(),
  image_size: imageSize.optional(),
  layer_norm_eps: epsilon.optional(),
  distilled: flag,
  /** Whether the distillation token has a head. */
  distilled_head: flag,
  /** Prefix tokens that have a row in the position embedding, where that is neither all nor none. */
  embed_prefix: z.int().min(0).max(65_536).optional(),
  /** How the position embedding is fitted to pictures of another size; default: it isn't. */
  pos_embed_resampling: z.enum(positionResamplings).nullish(),
  /** Whether the map from patches to tokens has a bias; default: unless `pre_norm`. */
  patch_bias: flag,
  projection_dim: size.nullish(),
}

/** timm's config.json, which is also ours. */
const timmConfig = z.looseObject({
  ...ownArguments,
  ...timmKeys,
})

type TimmConfig = z.infer<typeof timmConfig>
type Arguments = Partial<z.infer<z.ZodObject<typeof ownArguments>>>

/** `model_args` under the names of the top level. */
function modelArgumentsOf(config: TimmConfig): Arguments {
  if (!config.model_args) return {}
  const { img_size: imageSize, ...given } = parseWith(
    modelArguments,
    config.model_args,
    'model_args in config.json',
  )
  return imageSize === undefined ? given : { ...given, image_size: imageSize }
}

function required(value: number | undefined, key: string, architecture: string | undefined): number {
  if (value !== undefined) return value
  throw new BlvitError(
    'BAD_CONFIG',
    architecture === undefined
      ? `config.json doesn't say "${key}".`
      : `config.json doesn't say "${key}", and its "architecture" "${architecture}" is no name that tells it ` +
          '(such as vit_base_patch16_224).',
  )
}

/** All that the file says of the network, from the weakest word to the strongest. */
function argumentsOf(config: TimmConfig): Arguments {
  const { architecture, pretrained_cfg: pretrained } = config
  const reason = architecture === undefined ? undefined : whyUnsupported(architecture)
  if (reason !== undefined) throw badConfig(`blvit can't build "${architecture}": ${reason}`)
  const { img_size: namedSize, ...named } = argumentsOfName(architecture ?? '') ?? {}
  const [channels, height, width] = pretrained?.input_size ?? []
  const model = modelArgumentsOf(config)
  refuseContradictions(config, model)
  const { img_size: alias, ...top } = config
  const stated: Arguments = Object.fromEntries(
    Object.entries({ image_size: alias, ...top, ...model }).filter(([, value]) => value != null),
  )
  return {
    ...(namedSize === undefined ? {} : { image_size: Number(namedSize) }),
    ...named,
    ...(channels === undefined || height === undefined || width === undefined
      ? {}
      : { in_chans: channels, image_size: [height, width] }),
    ...(pretrained?.num_classes === undefined ? {} : { num_classes: pretrained.num_classes }),
    ...stated,
  }
}

function poolingOf(args: Arguments, classToken: boolean, classes: number): VitShape['pooling'] {
  const pool = args.global_pool ?? 'token'
  if (pool === '') {
    if (classes > 0)
      throw badConfig('global_pool "" gives class scores for each token; blvit gives them for a picture')
    return classToken ? 'token' : 'mean'
  }
  if (pool !== 'avg' && !classToken)
    throw badConfig(`global_pool "${pool}" needs a class token (class_token: true)`)
  return ({ token: 'token', avg: 'mean', 'token+avg': 'token+mean' } as const)[pool]
}

function finalNormOf(args: Arguments): VitShape['finalNorm'] {
  if (args.final_norm === false) return 'none'
  return (args.fc_norm ?? args.global_pool === 'avg') ? 'pooled' : 'tokens'
}

/** The ViT that a config.json of timm's form describes. @throws BlvitError `BAD_CONFIG` naming every wrong key */
export function readTimmConfig(json: ConfigJson): VitShape {
  const config = parseWith(timmConfig, json, 'config.json')
  const args = argumentsOf(config)
  const { architecture } = config
  const width = required(args.embed_dim, 'embed_dim', architecture)
  if (args.num_features !== undefined && args.num_features !== width) {
    throw badConfig(`num_features is ${args.num_features}, but tokens have ${width} channels`)
  }
  const distilled = args.distilled ?? false
  const prefix = { classToken: args.class_token ?? true, registers: args.reg_tokens ?? 0, distilled }
  const classes = args.num_classes ?? 1000
  const hasPositions = (args.pos_embed ?? 'learn') === 'learn'
  if (!hasPositions && prefixCount(prefix) > 0) {
    throw badConfig('pos_embed "none" with a class token or registers: timm then leaves those tokens out')
  }
  const embedded = args.embed_prefix ?? (args.no_embed_class ? 0 : prefixCount(prefix))
  return {
    ...usualSwitches({ distilled }),
    ...prefix,
    image: imageOf(args.image_size ?? 224),
    patchSize: required(args.patch_size, 'patch_size', architecture),
    channels: args.in_chans ?? 3,
    width,
    depth: required(args.depth, 'depth', architecture),
    heads: required(args.num_heads, 'num_heads', architecture),
    mlpRatio: args.mlp_ratio ?? 4,
    classes,
    layerNormEpsilon: args.layer_norm_eps ?? layerNormEpsilon,
    embeddedPrefix: hasPositions ? embedded : undefined,
    positionResampling: args.pos_embed_resampling ?? undefined,
    preNorm: args.pre_norm ?? false,
    patchBias: args.patch_bias ?? !args.pre_norm,
    qkvBias: args.qkv_bias ?? true,
    projBias: args.proj_bias ?? true,
    qkNorm: args.qk_norm ?? false,
    // timm builds factors unless the value is 0 or none
    layerScale: args.init_values || undefined,
    activation: activationNames[args.act_layer ?? 'gelu'] ?? 'gelu',
    pooling: poolingOf(args, prefix.classToken, classes),
    finalNorm: finalNormOf(args),
    distilledHead: distilled && (args.distilled_head ?? true),
    projection: args.projection_dim ?? undefined,
  }
}
