import { z } from 'zod'
import { BlvitError } from '../base/blvit-error.js'
import { parseWith } from '../base/parse.js'
import type { ConfigJson } from './architecture.js'
import type { VitShape } from './vit.js'
import { mlpWidth, type VitConfig } from './vit-config.js'
import { sizesOfName } from './vit-sizes.js'

const size = z.int().min(1).max(65_536)
const imageSize = z.union([size, z.tuple([size, size])])
// The deepest ViTs have some 60 layers; each makes nodes of the graph before the weights are looked at.
const depth = z.int().min(1).max(1_000)
const ratio = z.number().positive().max(1_000)
const epsilon = z.number().positive().max(1)

/** timm's config.json, which is also ours: a superset with `image_size`, `patch_size`, `distilled`. */
const timmSchema = z.looseObject({
  architecture: z.string().optional(),
  image_size: imageSize.optional(),
  patch_size: size.optional(),
  in_chans: size.optional(),
  num_classes: size.optional(),
  embed_dim: size.optional(),
  depth: depth.optional(),
  num_heads: size.optional(),
  mlp_ratio: ratio.optional(),
  layer_norm_eps: epsilon.optional(),
  distilled: z.boolean().optional(),
  global_pool: z.literal('token', 'blvit reads the class token only').optional(),
  pretrained_cfg: z
    .looseObject({ input_size: z.tuple([size, size, size]).optional(), num_classes: size.optional() })
    .optional(),
})

/** Hugging Face's config.json of ViT and DeiT, with the defaults of transformers. */
const huggingFaceSchema = z.looseObject({
  model_type: z.enum(['vit', 'deit']),
  architectures: z.array(z.string()).default([]),
  hidden_size: size,
  num_hidden_layers: depth.default(12),
  num_attention_heads: size.default(12),
  intermediate_size: size.optional(),
  image_size: imageSize.default(224),
  patch_size: size.default(16),
  num_channels: size.default(3),
  layer_norm_eps: epsilon.default(1e-12),
  hidden_act: z.literal('gelu', 'blvit has the exact GELU only').default('gelu'),
  qkv_bias: z.literal(true, 'blvit needs biases').default(true),
  id2label: z.record(z.string(), z.string()).optional(),
  num_labels: size.optional(),
})

function imageOf(given: number | readonly [number, number]): VitConfig['image'] {
  return typeof given === 'number' ? { height: given, width: given } : { height: given[0], width: given[1] }
}

function checked(shape: VitShape): VitShape {
  const { image, patchSize, width, heads } = shape
  if (!isWhole(image.height / patchSize) || !isWhole(image.width / patchSize)) {
    throw new BlvitError(
      'BAD_CONFIG',
      `image_size ${image.height}×${image.width} is not a multiple of patch_size ${patchSize}. ` +
        'Choose an image size that the patches fill.',
    )
  }
  if (width % heads !== 0) {
    throw new BlvitError('BAD_CONFIG', `embed_dim ${width} can't be shared by num_heads ${heads}.`)
  }
  if (mlpWidth(shape) < 1) {
    throw new BlvitError(
      'BAD_CONFIG',
      `mlp_ratio ${shape.mlpRatio} leaves an MLP of embed_dim ${width} no width.`,
    )
  }
  return shape
}

function isWhole(count: number): boolean {
  return Number.isInteger(count) && count > 0
}

function readHuggingFace(json: ConfigJson): VitShape {
  const config = parseWith(huggingFaceSchema, json, 'config.json')
  return checked({
    image: imageOf(config.image_size),
    patchSize: config.patch_size,
    channels: config.num_channels,
    width: config.hidden_size,
    depth: config.num_hidden_layers,
    heads: config.num_attention_heads,
    mlpRatio: (config.intermediate_size ?? 4 * config.hidden_size) / config.hidden_size,
    classes: config.num_labels ?? (config.id2label ? Object.keys(config.id2label).length : 2),
    layerNormEpsilon: config.layer_norm_eps,
    distilled: config.model_type === 'deit',
  })
}

function required(value: number | undefined, key: string): number {
  if (value !== undefined) return value
  throw new BlvitError(
    'BAD_CONFIG',
    `config.json doesn't say "${key}", and its "architecture" is not a name that tells it ` +
      '(such as vit_base_patch16_224).',
  )
}

function readTimm(json: ConfigJson): VitShape {
  const config = parseWith(timmSchema, json, 'config.json')
  const named = sizesOfName(config.architecture ?? '')
  const pretrained = config.pretrained_cfg
  const [channels, height, width] = pretrained?.input_size ?? [
    3,
    named?.imageSize ?? 224,
    named?.imageSize ?? 224,
  ]
  return checked({
    image: imageOf(config.image_size ?? [height, width]),
    patchSize: required(config.patch_size ?? named?.patchSize, 'patch_size'),
    channels: config.in_chans ?? channels,
    width: required(config.embed_dim ?? named?.width, 'embed_dim'),
    depth: required(config.depth ?? named?.depth, 'depth'),
    heads: required(config.num_heads ?? named?.heads, 'num_heads'),
    mlpRatio: config.mlp_ratio ?? 4,
    classes: config.num_classes ?? pretrained?.num_classes ?? 1000,
    layerNormEpsilon: config.layer_norm_eps ?? 1e-6,
    distilled: config.distilled ?? named?.distilled ?? false,
  })
}

/** The sizes of a ViT from config.json in timm's, Hugging Face's or our form. @throws BlvitError `BAD_CONFIG` */
export function readVitShape(json: ConfigJson): VitShape {
  return 'hidden_size' in json ? readHuggingFace(json) : readTimm(json)
}

/** The same sizes as config.json keys, in timm's names. */
export function writeVitShape(shape: VitShape): ConfigJson {
  const { image } = shape
  return {
    image_size: image.height === image.width ? image.height : [image.height, image.width],
    patch_size: shape.patchSize,
    in_chans: shape.channels,
    num_classes: shape.classes,
    embed_dim: shape.width,
    depth: shape.depth,
    num_heads: shape.heads,
    mlp_ratio: shape.mlpRatio,
    layer_norm_eps: shape.layerNormEpsilon,
    distilled: shape.distilled,
  }
}
