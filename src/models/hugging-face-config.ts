import { z } from 'zod'
import { BlvitError } from '../base/blvit-error.js'
import { parseWith } from '../base/parse.js'
import type { ActivationName } from '../nn/activations.js'
import type { ConfigJson } from './architecture.js'
import { badConfig } from './bad-config.js'
import { depth, epsilon, imageOf, imageSize, patchSize, ratio, size } from './config-values.js'
import { readLabelNames } from './label-names.js'
import { usualSwitches, type VitShape } from './vit-config.js'

/** transformers' names of activations (its `ACT2FN`). */
const activationNames: Readonly<Record<string, ActivationName>> = {
  gelu: 'gelu',
  gelu_new: 'gelu_tanh',
  gelu_pytorch_tanh: 'gelu_tanh',
  quick_gelu: 'quick_gelu',
  relu: 'relu',
  silu: 'silu',
  swish: 'silu',
}

const activation = z
  .string()
  .refine(
    (name) => Object.hasOwn(activationNames, name),
    `blvit has ${Object.keys(activationNames).join(', ')} only`,
  )

/** What all of transformers' ViTs say in one way. Their defaults differ. */
const common = () => ({
  architectures: z.array(z.string()).nullish(),
  hidden_size: size.default(768),
  num_hidden_layers: depth.default(12),
  num_attention_heads: size.default(12),
  image_size: imageSize.default(224),
  num_channels: size.default(3),
  hidden_act: activation.default('gelu'),
  num_labels: z.int().min(0).max(65_536).optional(),
})

const vitSchema = z.lazy(() =>
  z.looseObject({
    ...common(),
    intermediate_size: size.optional(),
    patch_size: patchSize.default(16),
    layer_norm_eps: epsilon.default(1e-12),
    qkv_bias: z.boolean().default(true),
  }),
)

const dinov2Schema = z.lazy(() =>
  z.looseObject({
    ...common(),
    mlp_ratio: ratio.default(4),
    patch_size: patchSize.default(14),
    layer_norm_eps: epsilon.default(1e-6),
    qkv_bias: z.boolean().default(true),
    layerscale_value: z.number().positive().default(1),
    use_swiglu_ffn: z.literal(false, 'blvit has no SwiGLU').default(false),
    apply_layernorm: z.literal(true, 'blvit gives the tokens after the last norm').default(true),
    num_register_tokens: z.int().min(0).max(65_536).default(4),
  }),
)

const clipSchema = z.lazy(() =>
  z.looseObject({
    ...common(),
    intermediate_size: size.default(3072),
    patch_size: patchSize.default(32),
    hidden_act: activation.default('quick_gelu'),
    layer_norm_eps: epsilon.default(1e-5),
    projection_dim: size.default(512),
  }),
)

type Common = z.infer<z.ZodObject<ReturnType<typeof common>>>

/** The class of transformers that saved it, e.g. `ViTForImageClassification`. */
function className({ architectures }: Pick<Common, 'architectures'>): string {
  return architectures?.[0] ?? ''
}

/** How many classes the head has: none for a backbone. */
function classesOf(config: Common, json: ConfigJson, { classifies }: { classifies: boolean }): number {
  if (!classifies) return 0
  return config.num_labels ?? readLabelNames(json)?.count ?? 2
}

function sizesOf(config: Common): Pick<VitShape, 'image' | 'channels' | 'width' | 'depth' | 'heads'> {
  return {
    image: imageOf(config.image_size),
    channels: config.num_channels,
    width: config.hidden_size,
    depth: config.num_hidden_layers,
    heads: config.num_attention_heads,
  }
}

/** Classes of transformers without a classifier, e.g. `ViTModel`, `ViTForMaskedImageModeling`, `Dinov2Backbone`. */
function isBackbone(name: string): boolean {
  return /(Model|Backbone|MaskedImageModeling|PreTraining)$/.test(name)
}

/** `vit` and `deit`. */
function readVit(json: ConfigJson): VitShape {
  const config = parseWith(vitSchema, json, 'config.json')
  const distilled = json.model_type === 'deit'
  const name = className(config)
  return {
    ...usualSwitches({ distilled }),
    ...sizesOf(config),
    patchSize: config.patch_size,
    mlpRatio: (config.intermediate_size ?? 4 * config.hidden_size) / config.hidden_size,
    classes: classesOf(config, json, { classifies: !isBackbone(name) }),
    layerNormEpsilon: config.layer_norm_eps,
    distilled,
    qkvBias: config.qkv_bias,
    activation: activationNames[config.hidden_act] ?? 'gelu',
    // fine-tuning leaves one head, which reads the class token alone
    distilledHead: distilled && name !== 'DeiTForImageClassification',
  }
}

/** `dinov2` and `dinov2_with_registers`: the head reads class token and mean of the patches side by side. */
function readDinov2(json: ConfigJson): VitShape {
  const config = parseWith(dinov2Schema, json, 'config.json')
  return {
    ...usualSwitches({ distilled: false }),
    ...sizesOf(config),
    patchSize: config.patch_size,
    mlpRatio: config.mlp_ratio,
    classes: classesOf(config, json, { classifies: className(config).endsWith('ForImageClassification') }),
    layerNormEpsilon: config.layer_norm_eps,
    distilled: false,
    registers: json.model_type === 'dinov2' ? 0 : config.num_register_tokens,
    qkvBias: config.qkv_bias,
    layerScale: config.layerscale_value,
    activation: activationNames[config.hidden_act] ?? 'gelu',
    pooling: 'token+mean',
    // its preprocessor decides how large pictures are
    positionResampling: json.model_type === 'dinov2' ? 'bicubic' : 'antialias',
  }
}

/** The vision tower of a CLIP, alone (`clip_vision_model`) or beside its text tower (`clip`). */
function readClip(json: ConfigJson): VitShape {
  const whole = json.model_type === 'clip'
  const { vision_config: vision, projection_dim: shared, ...outer } = json
  if (whole && (typeof vision !== 'object' || vision === null)) {
    throw badConfig('a "clip" needs its vision_config')
  }
  const told = { architectures: outer.architectures, num_labels: outer.num_labels }
  const tower = whole ? { ...(vision as ConfigJson), ...told } : json
  const config = parseWith(clipSchema, tower, 'config.json')
  const name = className(config)
  const classifies = name.endsWith('ForImageClassification')
  const projects = whole ? !classifies : name.endsWith('WithProjection')
  const projection = whole && shared !== undefined ? size.safeParse(shared).data : config.projection_dim
  return {
    ...usualSwitches({ distilled: false }),
    ...sizesOf(config),
    patchSize: config.patch_size,
    mlpRatio: config.intermediate_size / config.hidden_size,
    classes: classesOf(config, outer, { classifies }),
    layerNormEpsilon: config.layer_norm_eps,
    distilled: false,
    patchBias: false,
    preNorm: true,
    activation: activationNames[config.hidden_act] ?? 'quick_gelu',
    // CLIPForImageClassification averages the patches before the last norm, which it leaves unused
    ...(classifies ? ({ finalNorm: 'none', pooling: 'mean' } as const) : {}),
    projection: projects ? projection : undefined,
  }
}

/** What reads each `model_type` of transformers. */
const readers: Readonly<Record<string, (json: ConfigJson) => VitShape>> = {
  vit: readVit,
  deit: readVit,
  dinov2: readDinov2,
  dinov2_with_registers: readDinov2,
  clip_vision_model: readClip,
  clip: readClip,
}

/** The values of `model_type` that {@link readHuggingFaceConfig} knows. */
export const huggingFaceTypes: readonly string[] = Object.keys(readers)

/** The ViT that a config.json of transformers describes. @throws BlvitError `BAD_CONFIG` naming every wrong key */
export function readHuggingFaceConfig(json: ConfigJson): VitShape {
  const reader = readers[`${json.model_type}`]
  if (!reader) throw new BlvitError('BAD_CONFIG', `config.json describes a "${json.model_type}".`)
  return reader(json)
}
