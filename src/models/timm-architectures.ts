/** Arguments of timm's `VisionTransformer` under its own names, as far as an architecture's name stands for them. */
export type NamedArguments = Readonly<Record<string, number | boolean | string>>

const sizes = {
  tiny: { embed_dim: 192, depth: 12, num_heads: 3 },
  small: { embed_dim: 384, depth: 12, num_heads: 6 },
  base: { embed_dim: 768, depth: 12, num_heads: 12 },
  large: { embed_dim: 1024, depth: 24, num_heads: 16 },
  huge: { embed_dim: 1280, depth: 32, num_heads: 16 },
} as const
const { small, base, large, huge } = sizes
const medium = { embed_dim: 512, depth: 12, num_heads: 8 }
const betwixt = { embed_dim: 640, depth: 12, num_heads: 10 }
const plus = { embed_dim: 896, depth: 12, num_heads: 14 }
const giant = { embed_dim: 1408, depth: 40, num_heads: 16, mlp_ratio: 48 / 11 }
const gigantic = { embed_dim: 1664, depth: 48, num_heads: 16, mlp_ratio: 64 / 13 }
const giantopt = { embed_dim: 1536, depth: 40, num_heads: 16 }
const so400m = { embed_dim: 1152, depth: 27, num_heads: 16, mlp_ratio: 3.7362 }

/** As in OpenAI's CLIP. */
const clip = { pre_norm: true, layer_norm_eps: 1e-5 }
/** The mean of the patches instead of a class token. */
const gap = { class_token: false, global_pool: 'avg', fc_norm: false }
/** The same, with register tokens. */
const registered = { class_token: false, no_embed_class: true, global_pool: 'avg' }

/**
 * What timm 1.0.20 (vision_transformer.py, deit.py) builds under names that say more than size and patch. The number
 * at a name's end is the image size, and left out where it changes nothing else.
 */
const variants: Readonly<Record<string, NamedArguments>> = {
  deit3_base_patch16: { ...base, patch_size: 16, no_embed_class: true, init_values: 1e-6 },
  deit3_huge_patch14: { ...huge, patch_size: 14, no_embed_class: true, init_values: 1e-6 },
  deit3_large_patch16: { ...large, patch_size: 16, no_embed_class: true, init_values: 1e-6 },
  deit3_medium_patch16: { ...medium, patch_size: 16, no_embed_class: true, init_values: 1e-6 },
  deit3_small_patch16: { ...small, patch_size: 16, no_embed_class: true, init_values: 1e-6 },
  eva_large_patch14: { ...large, patch_size: 14, global_pool: 'avg' },
  flexivit_base: { ...base, patch_size: 16, no_embed_class: true, img_size: 240 },
  flexivit_large: { ...large, patch_size: 16, no_embed_class: true, img_size: 240 },
  flexivit_small: { ...small, patch_size: 16, no_embed_class: true, img_size: 240 },
  vit_base_patch14_dinov2: { ...base, patch_size: 14, init_values: 1e-5, img_size: 518 },
  vit_base_patch14_reg4_dinov2: {
    ...base,
    patch_size: 14,
    init_values: 1e-5,
    reg_tokens: 4,
    no_embed_class: true,
    img_size: 518,
  },
  vit_base_patch16_224_miil: { ...base, patch_size: 16, qkv_bias: false, img_size: 224 },
  vit_base_patch16_clip: { ...base, ...clip, patch_size: 16 },
  vit_base_patch16_clip_quickgelu: { ...base, ...clip, patch_size: 16, act_layer: 'quick_gelu' },
  vit_base_patch16_gap: { ...gap, patch_size: 16, embed_dim: 768, depth: 12, num_heads: 16 },
  vit_base_patch16_plus: { ...plus, patch_size: 16, init_values: 1e-5 },
  vit_base_patch16_plus_clip: { ...plus, ...clip, patch_size: 16 },
  vit_base_patch16_reg4_gap: { ...base, ...registered, patch_size: 16, reg_tokens: 4 },
  vit_base_patch16_siglip_gap: { ...base, ...gap, patch_size: 16 },
  vit_base_patch32_clip: { ...base, ...clip, patch_size: 32 },
  vit_base_patch32_clip_quickgelu: { ...base, ...clip, patch_size: 32, act_layer: 'quick_gelu' },
  vit_base_patch32_plus: { ...plus, patch_size: 32, init_values: 1e-5 },
  vit_base_patch32_siglip_gap: { ...base, ...gap, patch_size: 32, act_layer: 'gelu_tanh' },
  vit_betwixt_patch16_gap: { ...betwixt, ...gap, patch_size: 16, qkv_bias: false, init_values: 1e-6 },
  vit_betwixt_patch16_reg1_gap: {
    ...betwixt,
    ...registered,
    patch_size: 16,
    init_values: 1e-5,
    reg_tokens: 1,
  },
  vit_betwixt_patch16_reg4_gap: {
    ...betwixt,
    ...registered,
    patch_size: 16,
    init_values: 1e-5,
    reg_tokens: 4,
  },
  vit_betwixt_patch32_clip: { ...betwixt, ...clip, patch_size: 32 },
  vit_giant_patch14: { ...giant, patch_size: 14 },
  vit_giant_patch14_clip: { ...giant, ...clip, patch_size: 14 },
  vit_giant_patch16_gap: { ...giant, ...gap, patch_size: 16 },
  vit_giantopt_patch16_siglip_gap: { ...giantopt, ...gap, patch_size: 16, act_layer: 'gelu_tanh' },
  vit_gigantic_patch14: { ...gigantic, patch_size: 14 },
  vit_gigantic_patch14_clip: { ...gigantic, ...clip, patch_size: 14 },
  vit_gigantic_patch14_clip_quickgelu: { ...gigantic, ...clip, patch_size: 14, act_layer: 'quick_gelu' },
  vit_huge_patch14_clip: { ...huge, ...clip, patch_size: 14 },
  vit_huge_patch14_clip_quickgelu: { ...huge, ...clip, patch_size: 14, act_layer: 'quick_gelu' },
  vit_huge_patch14_gap: { ...huge, ...gap, patch_size: 14 },
  vit_huge_patch16_gap: { ...huge, ...gap, patch_size: 16 },
  vit_intern300m_patch14: { ...large, patch_size: 14, init_values: 0.1, final_norm: false },
  vit_large_patch14_clip: { ...large, ...clip, patch_size: 14 },
  vit_large_patch14_clip_quickgelu: { ...large, ...clip, patch_size: 14, act_layer: 'quick_gelu' },
  vit_large_patch14_dinov2: { ...large, patch_size: 14, init_values: 1e-5, img_size: 518 },
  vit_large_patch14_reg4_dinov2: {
    ...large,
    patch_size: 14,
    init_values: 1e-5,
    reg_tokens: 4,
    no_embed_class: true,
    img_size: 518,
  },
  vit_large_patch16_siglip_gap: { ...large, ...gap, patch_size: 16 },
  vit_large_patch16_siglip_gap_512: {
    ...large,
    ...gap,
    patch_size: 16,
    act_layer: 'gelu_tanh',
    img_size: 512,
  },
  vit_little_patch16_reg1_gap: {
    ...registered,
    patch_size: 16,
    embed_dim: 320,
    depth: 14,
    num_heads: 5,
    init_values: 1e-5,
    mlp_ratio: 5.6,
    reg_tokens: 1,
  },
  vit_little_patch16_reg4_gap: {
    ...registered,
    patch_size: 16,
    embed_dim: 320,
    depth: 14,
    num_heads: 5,
    init_values: 1e-5,
    mlp_ratio: 5.6,
    reg_tokens: 4,
  },
  vit_medium_patch16_clip: { ...medium, ...clip, patch_size: 16 },
  vit_medium_patch16_gap: { ...medium, ...gap, patch_size: 16, qkv_bias: false, init_values: 1e-6 },
  vit_medium_patch16_reg1_gap: { ...medium, ...registered, patch_size: 16, init_values: 1e-5, reg_tokens: 1 },
  vit_medium_patch16_reg4_gap: { ...medium, ...registered, patch_size: 16, init_values: 1e-5, reg_tokens: 4 },
  vit_medium_patch32_clip: { ...medium, ...clip, patch_size: 32 },
  vit_mediumd_patch16_reg4_gap: {
    ...registered,
    patch_size: 16,
    embed_dim: 512,
    depth: 20,
    num_heads: 8,
    init_values: 1e-5,
    reg_tokens: 4,
  },
  vit_small_patch14_dinov2: { ...small, patch_size: 14, init_values: 1e-5, img_size: 518 },
  vit_small_patch14_reg4_dinov2: {
    ...small,
    patch_size: 14,
    init_values: 1e-5,
    reg_tokens: 4,
    no_embed_class: true,
    img_size: 518,
  },
  vit_small_patch16_36x1: { patch_size: 16, embed_dim: 384, depth: 36, num_heads: 6, init_values: 1e-5 },
  vit_so150m2_patch16_reg1_gap: {
    patch_size: 16,
    embed_dim: 832,
    depth: 21,
    num_heads: 13,
    mlp_ratio: 2.6153846153846154,
    init_values: 1e-5,
    qkv_bias: false,
    class_token: false,
    reg_tokens: 1,
    global_pool: 'avg',
  },
  vit_so150m_patch16_reg4_gap: {
    ...gap,
    patch_size: 16,
    embed_dim: 896,
    depth: 18,
    num_heads: 14,
    mlp_ratio: 2.572,
    reg_tokens: 4,
  },
  vit_so400m_patch14_siglip_gap: { ...so400m, ...gap, patch_size: 14 },
  vit_so400m_patch16_siglip_gap: { ...so400m, ...gap, patch_size: 16, act_layer: 'gelu_tanh' },
  vit_wee_patch16_reg1_gap: {
    ...registered,
    patch_size: 16,
    embed_dim: 256,
    depth: 14,
    num_heads: 4,
    init_values: 1e-5,
    mlp_ratio: 5,
    reg_tokens: 1,
  },
  vit_xsmall_patch16_clip: { ...clip, embed_dim: 256, depth: 10, num_heads: 4, patch_size: 16 },
}

/** Names of ViTs that have parts which are no switch of a plain block. */
const unsupported: readonly (readonly [RegExp, string])[] = [
  [/_siglip(?!_gap)|_map_/, 'it pools with an attention layer (global_pool "map")'],
  [/_giant_patch14_(reg4_)?dinov2/, 'its MLPs are SwiGLU'],
  [/^aimv2_/, 'its MLPs are SwiGLU and its norms RMS norms'],
  [/_(rpn|xp|18x2)_|_pwee_/, 'its blocks are of another kind (block_fn)'],
  [/^beit3_/, 'it norms inside attention and MLP (scale_attn_norm, scale_mlp_norm)'],
  [/_r\d*_|_resnet|_mci_/, 'it has a convolutional network in front'],
  [/relpos|_rope_/, 'its positions are not a learned embedding'],
]

const plainName = /^(?:vit|deit)_(tiny|small|base|large|huge)_(distilled_)?patch(\d+)$/
/** Endings of older names for weights of another training, which change nothing that is built. */
const trainings = /_(?:in21k|in21ft1k|in1k|dino|sam|augreg|laion\w+|openai)$/

/** Why blvit can't build the ViT of this name; undefined if it can, or doesn't know the name. */
export function whyUnsupported(architecture: string): string | undefined {
  return unsupported.find(([pattern]) => pattern.test(architecture))?.[1]
}

/**
 * What timm builds under an architecture's name, e.g. `vit_base_patch16_224`, `deit_tiny_distilled_patch16_224`,
 * `vit_small_patch14_reg4_dinov2.lvd142m`; undefined if it is none of a ViT that blvit can build.
 */
export function argumentsOfName(architecture: string): NamedArguments | undefined {
  const name = (architecture.split('.')[0] ?? '').replace(trainings, '')
  const exact = lookup(name)
  if (exact) return exact
  const [, stem = '', imageSize] = /^(.+)_(\d+)$/.exec(name) ?? []
  const known = lookup(stem)
  return known && { ...known, img_size: Number(imageSize) }
}

function lookup(name: string): NamedArguments | undefined {
  if (Object.hasOwn(variants, name)) return variants[name]
  const [, size, distilled, patchSize] = plainName.exec(name) ?? []
  if (size === undefined) return undefined
  return {
    ...sizes[size as keyof typeof sizes],
    patch_size: Number(patchSize),
    ...(distilled === undefined ? {} : { distilled: true }),
  }
}
