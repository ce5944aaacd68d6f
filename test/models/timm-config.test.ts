import { describe, expect, test } from 'vitest'
import type { ConfigJson } from '../../src/models/architecture.js'
import { readArchitecture } from '../../src/models/index.js'
import { isVit } from '../../src/models/vit-family.js'

function configOf(json: ConfigJson) {
  const architecture = readArchitecture(json)
  if (!isVit(architecture)) throw new Error('no ViT')
  return architecture.config
}

const tiny = { architecture: 'vit_tiny_patch16_224', num_classes: 5 }

describe("timm's model_args", () => {
  test('say more than the name', () => {
    const model_args = { num_heads: 6, depth: 2, img_size: [32, 64], patch_size: [8, 8], in_chans: 1 }
    expect(configOf({ ...tiny, model_args })).toMatchObject({
      width: 192,
      heads: 6,
      depth: 2,
      image: { height: 32, width: 64 },
      patchSize: 8,
      channels: 1,
      classes: 5,
    })
  })

  test('of training alone change nothing', () => {
    const model_args = {
      ...{ drop_rate: 0.1, drop_path_rate: 0.2, weight_init: 'jax', fix_init: true, dynamic_img_size: true },
      ...{ init_values: null, act_layer: null, norm_layer: 'layernorm', fc_norm: null },
    }
    expect(configOf({ ...tiny, model_args })).toEqual(configOf(tiny))
  })

  test.each([
    [{ global_pool: 'map' }, /global_pool: blvit reads the class token/],
    [{ global_pool: 'avgmax' }, /global_pool: /],
    [{ global_pool: '' }, /global_pool "" gives class scores for each token/],
    [{ class_token: false }, /global_pool "token" needs a class token/],
    [{ scale_attn_norm: true }, /scale_attn_norm: blvit has no norm inside attention/],
    [{ scale_mlp_norm: true }, /scale_mlp_norm: /],
    [{ pool_include_prefix: true }, /pool_include_prefix: /],
    [{ dynamic_img_pad: true }, /dynamic_img_pad: /],
    [{ norm_layer: 'rmsnorm' }, /norm_layer: blvit has LayerNorm only/],
    [{ act_layer: 'mish' }, /act_layer: blvit has gelu/],
    [{ mlp_layer: 'SwiGLUPacked' }, /mlp_layer: .*no SwiGLU/],
    [{ block_fn: 'ResPostBlock' }, /block_fn: /],
    [{ attn_layer: 'diff' }, /attn_layer: /],
    [{ embed_layer: 'HybridEmbed' }, /embed_layer: /],
    [{ patch_size: [16, 8] }, /patch_size: patches must be square/],
    [{ pos_embed: 'none' }, /pos_embed "none" with a class token/],
    [{ in_chans: 4 }, /takes pictures of 4 channels/],
    [{ num_classes: 7 }, /"num_classes" is 5, but in model_args it is 7/],
    [{ rope_theta: 100 }, /rope_theta/],
  ])('%j is refused by name', (model_args, message) => {
    expect(() => readArchitecture({ ...tiny, model_args })).toThrow(message)
    expect(() => readArchitecture({ ...tiny, model_args })).toThrow(
      expect.objectContaining({ code: 'BAD_CONFIG' }),
    )
  })
})

describe("timm's names", () => {
  test.each<[string, object]>([
    ['vit_base_patch16_224.augreg_in21k', { width: 768, heads: 12, image: { height: 224, width: 224 } }],
    ['vit_base_patch16_gap_224', { heads: 16, classToken: false, pooling: 'mean', finalNorm: 'tokens' }],
    ['vit_base_patch16_224_miil', { qkvBias: false }],
    ['deit3_small_patch16_384', { embeddedPrefix: 0, layerScale: 1e-6, image: { height: 384, width: 384 } }],
    [
      'vit_small_patch14_reg4_dinov2.lvd142m',
      { registers: 4, embeddedPrefix: 0, layerScale: 1e-5, image: { height: 518, width: 518 } },
    ],
    [
      'vit_large_patch14_clip_quickgelu_336.openai',
      { preNorm: true, patchBias: false, layerNormEpsilon: 1e-5, activation: 'quick_gelu' },
    ],
    ['eva_large_patch14_196', { pooling: 'mean', finalNorm: 'pooled' }],
    ['deit_tiny_distilled_patch16_224', { distilled: true, distilledHead: true, embeddedPrefix: 2 }],
    ['flexivit_base.1200ep_in1k', { embeddedPrefix: 0, image: { height: 240, width: 240 } }],
  ])('%s', (architecture, expected) => {
    expect(configOf({ architecture })).toMatchObject(expected)
  })

  test.each([
    ['vit_base_patch16_siglip_224', /attention layer \(global_pool "map"\)/],
    ['vit_giant_patch14_dinov2', /SwiGLU/],
    ['vit_base_patch16_rpn_224', /block_fn/],
    ['vit_tiny_r_s16_p8_224', /convolutional network in front/],
    ['vit_base_r50_s16_224', /convolutional network in front/],
    ['vit_relpos_base_patch16_224', /positions/],
    ['vit_unheard_of_224', /"architecture" "vit_unheard_of_224" is no name that tells it/],
  ])('%s is refused with the reason', (architecture, reason) => {
    expect(() => readArchitecture({ architecture })).toThrow(reason)
  })
})

describe("transformers' configs", () => {
  const vit = { model_type: 'vit', hidden_size: 32, num_attention_heads: 2, image_size: 32, patch_size: 8 }

  test.each([
    [{ ...vit, hidden_act: 'mish' }, /hidden_act: /],
    [{ model_type: 'dinov2', use_swiglu_ffn: true }, /use_swiglu_ffn: blvit has no SwiGLU/],
    [{ ...vit, num_channels: 4 }, /takes pictures of 4 channels/],
    [{ model_type: 'dinov3_vit' }, /describes a "dinov3_vit"/],
    [{ model_type: 'clip' }, /needs its vision_config/],
  ])('%j is refused by name', (json, message) => {
    expect(() => readArchitecture(json)).toThrow(message)
  })

  test('tell how many classes by labels of any form, and none for a backbone', () => {
    expect(configOf({ ...vit, label2id: { a: 0, b: '1', c: 2 } }).classes).toBe(3)
    expect(configOf({ ...vit, id2label: { '00': 'a', '01': 'b' } }).classes).toBe(2)
    expect(configOf({ ...vit, architectures: ['ViTModel'], id2label: { 0: 'a' } }).classes).toBe(0)
  })
})
