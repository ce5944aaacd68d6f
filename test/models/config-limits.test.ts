import { describe, expect, test } from 'vitest'
import type { ConfigJson } from '../../src/models/architecture.js'
import { presets, readArchitecture } from '../../src/models/index.js'
import { mlpWidth } from '../../src/models/vit-config.js'

const vit = presets['vit-micro']?.json ?? {}
const blvit = presets['t+48']?.json ?? {}
const sam = presets['sam-micro']?.json ?? {}
const vision = Object(sam.vision_config)
const little = { embed_dim: 48, num_heads: 3 }

describe('a config.json', () => {
  test.each<[string, ConfigJson, RegExp]>([
    ['deeper than any ViT', { ...vit, depth: 65_536 }, /depth: /],
    ['deeper than any bLViT', { ...blvit, depth: 65_536 }, /depth: /],
    ['with an MLP of infinite width', { ...vit, mlp_ratio: 1e308 }, /mlp_ratio: /],
    ['with an MLP of no width', { ...vit, mlp_ratio: 1e-300 }, /mlp_ratio 1e-300 leaves an MLP/],
    [
      'with a small MLP of no width',
      { ...blvit, little: { ...little, mlp_ratio: 0.001 } },
      /little\.mlp_ratio/,
    ],
    [
      'with small tokens of any width',
      { ...blvit, little: { ...little, embed_dim: 9e15 } },
      /little\.embed_dim/,
    ],
    [
      'with windows beyond any attention map',
      { ...sam, vision_config: { ...vision, window_size: 1_027 } },
      /windows of 1027 × 1027 over a grid of 8 × 8 tokens have 1054729 places/,
    ],
    [
      'with more patches than any attention map has',
      { ...sam, vision_config: { ...vision, image_size: 65_536, patch_size: 1 } },
      /over a grid of 65536 × 65536 tokens/,
    ],
    [
      'with small windows beyond any attention map',
      { model_type: 'mobile_sam', vision_config: { window_sizes: [7, 7, 60_000, 7] } },
      /windows of 60000 × 60000 over a grid of 64 × 64 tokens/,
    ],
    [
      'with biases of more pairs than memory holds',
      { model_type: 'mobile_sam', vision_config: { window_sizes: [7, 7, 200, 7] } },
      /window_sizes has 200, and 32 is the largest/,
    ],
    [
      'with more tokens that see each other than any attention map has',
      { model_type: 'efficient_sam', vision_config: { image_size: 65_536 } },
      /over a grid of 4096 × 4096 tokens/,
    ],
    ['with an epsilon that is no float32', { ...vit, layer_norm_eps: 1e300 }, /layer_norm_eps: /],
    ['of pictures without a pixel', { architecture: 'vit_tiny_patch16_0' }, /image_size 0×0/],
    ['of patches without a pixel', { architecture: 'vit_tiny_patch0_224' }, /patch_size 0/],
  ])('%s is refused before anything is built', (_, json, message) => {
    expect(() => readArchitecture(json)).toThrow(message)
    expect(() => readArchitecture(json)).toThrow(expect.objectContaining({ code: 'BAD_CONFIG' }))
  })
})

test('the width of an MLP is whole, as timm cuts it and as Hugging Face writes it', () => {
  expect(mlpWidth({ width: 192, mlpRatio: 2.6667 })).toBe(512)
  for (const [hidden, width] of [
    [4304, 1152],
    [3072, 768],
    [2736, 1023],
    [49, 1_000],
  ] as const)
    expect(mlpWidth({ width, mlpRatio: hidden / width })).toBe(hidden)
})
