import { z } from 'zod'
import { defined } from '../../../src/base/assert.js'
import { mobileVitMaps, mobileVitPixels, mobileVitPrograms } from '../../../src/models/mobilevit.js'
import { readMobileVit } from '../../../src/models/mobilevit-family.js'
import { mobileVitNames, mobileVitNorms } from '../../../src/models/mobilevit-names.js'
import { goldenMethod } from '../method.js'

const invertedResiduals = z.looseObject({
  block_type: z.literal('mv2'),
  out_channels: z.int(),
  expand_ratio: z.number(),
  num_blocks: z.int().default(1),
  stride: z.int().default(1),
})

const withTransformer = z.looseObject({
  block_type: z.literal('mobilevit'),
  out_channels: z.int(),
  transformer_channels: z.int(),
  ffn_dim: z.int(),
  transformer_blocks: z.int(),
  patch_h: z.int().default(2),
  patch_w: z.int().default(2),
  stride: z.int().default(1),
  mv_expand_ratio: z.number().default(4),
  head_dim: z.int().nullish(),
  num_heads: z.int().nullish(),
})

const layer = z.discriminatedUnion('block_type', [invertedResiduals, withTransformer])
const layers = ['layer1', 'layer2', 'layer3', 'layer4', 'layer5'] as const

const config = z.looseObject({
  img_size: z.int(),
  num_classes: z.int(),
  ...Object.fromEntries(layers.map((name) => [name, layer])),
  last_layer_exp_factor: z.number().default(4),
})

/** The official code makes the last map no wider than this. */
const widestMap = 960

function stageOf(given: z.output<typeof layer>): object {
  const { out_channels: width, stride } = given
  if (given.block_type === 'mv2') {
    return { width, depth: given.num_blocks, stride, expand_ratio: given.expand_ratio }
  }
  const heads = given.head_dim ? given.transformer_channels / given.head_dim : (given.num_heads ?? 4)
  return {
    width,
    // the block before the transformer is there to halve the map
    depth: stride === 1 ? 0 : 1,
    stride,
    expand_ratio: given.mv_expand_ratio,
    transformer: {
      embed_dim: given.transformer_channels,
      depth: given.transformer_blocks,
      num_heads: heads,
      mlp_dim: given.ffn_dim,
      patch_size: [given.patch_h, given.patch_w],
    },
  }
}

export const mobileVitMethod = goldenMethod(config, (given, { image, channels }) => {
  const named = layers.map((name) => layer.parse(given[name]))
  const last = defined(named.at(-1), 'a layer').out_channels
  const read = readMobileVit({
    model_type: 'mobilevit',
    image_size: [image.height, image.width],
    in_chans: channels,
    num_classes: given.num_classes,
    stem_width: 16,
    stages: named.map(stageOf),
    final_width: Math.min(last * given.last_layer_exp_factor, widestMap),
  })
  const maps = mobileVitMaps(mobileVitPixels(read), read)
  const official = ['conv_1', ...layers.map((name) => name.replace('layer', 'layer_')), 'conv_1x1_exp']
  return {
    names: defined(mobileVitNames(read)[0], 'the official names'),
    batchNorms: mobileVitNorms,
    outputs: {
      ...Object.fromEntries(official.map((name, at) => [name, defined(maps[at], name)])),
      ...mobileVitPrograms(defined(maps.at(-1), 'a map'), read).classify,
    },
  }
})
