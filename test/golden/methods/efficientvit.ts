import { z } from 'zod'
import { defined } from '../../../src/base/assert.js'
import type { Tensor } from '../../../src/graph/tensor.js'
import {
  efficientVitMaps,
  efficientVitPixels,
  efficientVitPrograms,
} from '../../../src/models/efficientvit.js'
import { readEfficientVit } from '../../../src/models/efficientvit-family.js'
import { efficientVitNorms, officialNames } from '../../../src/models/efficientvit-names.js'
import { spatialMean } from '../../../src/nn/pooling.js'
import { goldenMethod } from '../method.js'

const config = z.looseObject({
  img_size: z.int(),
  patch_size: z.int().default(16),
  embed_dim: z.array(z.int()),
  key_dim: z.array(z.int()),
  depth: z.array(z.int()),
  num_heads: z.array(z.int()),
  window_size: z.array(z.int()),
  kernels: z.array(z.int()),
  num_classes: z.int(),
  distillation: z.boolean().default(false),
})

/** The official code counts the three steps of down-sampling among a stage's blocks. */
function officialName(scope: string): string {
  const steps = ['res1', 'patchmerge', 'res2']
  return scope
    .replace(/^stages\.(\d+)\.blocks\.(\d+)$/, (_, stage: string, block: string) =>
      stage === '0' ? `blocks1.${block}` : `blocks${Number(stage) + 1}.${Number(block) + steps.length}`,
    )
    .replace(/^stages\.(\d+)\.downsample\.(\w+)$/, (_, stage: string, step: string) => {
      return `blocks${Number(stage) + 1}.${steps.indexOf(step)}`
    })
}

export const efficientVitMethod = goldenMethod(config, (given, { image, channels }) => {
  const read = readEfficientVit({
    model_type: 'efficientvit',
    ...given,
    in_chans: channels,
    image_size: [image.height, image.width],
    distilled: given.distillation,
  })
  const maps = efficientVitMaps(efficientVitPixels(read), read)
  const { map } = defined(maps.at(-1), 'a map')
  const { classify, heads } = efficientVitPrograms(map, read)
  const outputs: Record<string, Tensor | undefined> = {
    ...Object.fromEntries(maps.map(({ name, map }) => [officialName(name), map])),
    pooled: spatialMean(map),
    logits: classify?.logits,
    logits_cls: heads?.class_logits,
    logits_dist: heads?.distillation_logits,
  }
  return {
    names: officialNames(read),
    batchNorms: efficientVitNorms,
    outputs: Object.fromEntries(
      Object.entries(outputs).flatMap(([name, ours]) => (ours ? [[name, ours]] : [])),
    ),
  }
})
