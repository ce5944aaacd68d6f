import { z } from 'zod'
import { parseWith } from '../base/parse.js'
import type { ConfigJson } from './architecture.js'
import { badConfig, checkShared } from './bad-config.js'
import { depth, size } from './config-values.js'
import type { MobileSamConfig } from './mobile-sam.js'
import { checkSamParts, checkWindow, readSamParts, samPartKeys, writeSamParts } from './sam-parts-json.js'
import { tinyVitStride } from './tiny-vit.js'

// The keys of the official TinyViT; the defaults are those of its 5M, as MobileSAM has it.
const visionKeys = z.strictObject({
  image_size: size.default(1024),
  embed_dims: z.array(size).min(2).default([64, 128, 160, 320]),
  depths: z.array(depth).min(2).default([2, 2, 6, 2]),
  num_heads: z.array(size).min(2).default([2, 4, 5, 10]),
  window_sizes: z.array(size).min(2).default([7, 7, 14, 7]),
  mlp_ratio: z.int().min(1).max(1_000).default(4),
  // of the merging behind each stage but the last
  strides: z
    .array(z.union([z.literal(1), z.literal(2)]))
    .min(1)
    .default([2, 2, 1]),
  output_channels: size.default(256),
})

const schema = z.looseObject({
  vision_config: visionKeys.default(() => visionKeys.parse({})),
  ...samPartKeys,
})

/** A bias for each two places takes as many numbers as its fourth power. */
const largestWindow = 32

type Vision = z.output<typeof visionKeys>

/** @throws BlvitError `BAD_CONFIG` for lists that don't go together */
function checkLists({ embed_dims: widths, num_heads: heads, ...vision }: Vision): void {
  const lists = { depths: vision.depths, num_heads: heads, window_sizes: vision.window_sizes }
  for (const [key, { length }] of Object.entries(lists)) {
    if (length !== widths.length)
      throw badConfig(`${key} has ${length} values, but embed_dims has ${widths.length}`)
  }
  if (vision.strides.length !== widths.length - 1)
    throw badConfig(
      `strides has ${vision.strides.length} values, but there are ${widths.length - 1} mergings`,
    )
  if ((widths[0] ?? 0) % 2 !== 0) throw badConfig(`the first of embed_dims, ${widths[0]}, is not even`)
  widths.slice(1).forEach((width, at) => {
    checkShared({ embed_dims: width }, { num_heads: heads[at + 1] ?? 1 })
  })
}

/** @throws BlvitError `BAD_CONFIG` naming every wrong key */
export function readMobileSamConfig(json: ConfigJson): MobileSamConfig {
  const parsed = parseWith(schema, json, 'config.json')
  const { vision_config: vision } = parsed
  checkLists(vision)
  const { embed_dims: widths, depths, num_heads: heads, window_sizes: windows, strides } = vision
  const stages = strides.map((stride, at) => ({
    width: widths[at + 1] ?? 0,
    depth: depths[at + 1] ?? 0,
    heads: heads[at + 1] ?? 0,
    window: windows[at + 1] ?? 0,
    stride,
  }))
  const config: MobileSamConfig = {
    family: 'mobile-sam',
    side: vision.image_size,
    patchSize: tinyVitStride({ stages }),
    encoder: {
      kind: 'tiny-vit',
      first: { width: widths[0] ?? 0, depth: depths[0] ?? 0 },
      stages,
      expansion: vision.mlp_ratio,
    },
    width: vision.output_channels,
    ...readSamParts(parsed),
  }
  checkSamParts(config)
  stages.forEach(({ window }, at) => {
    checkWindow(window, Math.ceil(config.side / tinyVitStride({ stages: stages.slice(0, at + 1) })))
    if (window > largestWindow)
      throw badConfig(`window_sizes has ${window}, and ${largestWindow} is the largest that a TinyViT has`)
  })
  return config
}

export function writeMobileSamConfig(config: MobileSamConfig): ConfigJson {
  const { side, width } = config
  const { first, stages, expansion } = config.encoder
  return {
    model_type: 'mobile_sam',
    vision_config: {
      image_size: side,
      embed_dims: [first.width, ...stages.map((stage) => stage.width)],
      depths: [first.depth, ...stages.map((stage) => stage.depth)],
      // of the first stage, which has none: the official code's
      num_heads: [2, ...stages.map((stage) => stage.heads)],
      window_sizes: [7, ...stages.map((stage) => stage.window)],
      mlp_ratio: expansion,
      strides: stages.map((stage) => stage.stride),
      output_channels: width,
    },
    ...writeSamParts(config),
  }
}
