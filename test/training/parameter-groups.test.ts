import { expect, test } from 'vitest'
import { graphOf } from '../../src/graph/graph.js'
import { readArchitecture } from '../../src/models/index.js'
import { layerDecay, treatmentOf } from '../../src/training/parameter-groups.js'
import { shrunk } from '../support/tiny-models.js'

const scaleOf = (name: string, groups: ReturnType<typeof layerDecay>) => {
  const parameter = { name, shape: [2, 2], initialiser: { kind: 'constant', value: 0 } } as const
  return treatmentOf(parameter, { groups, weightDecay: 0.05 }).learningRateScale
}

test('layer-wise decay: the head at the full rate, each layer below at decay times the one above it', () => {
  const groups = layerDecay({ decay: 0.5, depth: 3, predictorAfter: [1, 3] })
  const scales = {
    cls_token: 1 / 16,
    dist_token: 1 / 16,
    pos_embed: 1 / 16,
    'patch_embed.proj.weight': 1 / 16,
    'blocks.0.norm1.bias': 1 / 8,
    'blocks.1.attn.qkv.weight': 1 / 4,
    'blocks.2.little.mlp.up.weight': 1 / 2,
    'blocks.2.alpha1': 1 / 2,
    'predictors.0.weight': 1 / 8,
    'predictors.1.weight': 1 / 2,
    'norm.weight': 1,
    'head.weight': 1,
    'head_dist.bias': 1,
    'student.blocks.0.mlp.fc1.weight': 1 / 8,
    'student.pos_embed': 1 / 16,
  }
  const found = Object.keys(scales).map((name) => [name, scaleOf(name, groups)])
  expect(Object.fromEntries(found)).toEqual(scales)
})

test('what a group leaves open the next ones decide', () => {
  const norms = { matches: (name: string) => name.includes('norm'), weightDecay: 0 }
  const slow = { matches: (name: string) => name.startsWith('blocks.2'), learningRateScale: 0.01 }
  const groups = [norms, slow, ...layerDecay({ decay: 0.5, depth: 3 })]
  expect(scaleOf('blocks.0.norm1.weight', groups)).toBe(1 / 8)
  expect(scaleOf('blocks.2.norm1.weight', groups)).toBe(0.01)
})

test('layer-wise decay reaches every parameter of a bLViT once, and leaves its weight decay alone', () => {
  const architecture = readArchitecture(shrunk('t+48').json)
  const groups = layerDecay({ decay: 0.9, depth: 12, predictorAfter: [1, 4, 7, 10] })
  const { parameters } = graphOf('model', architecture.build().outputs)
  for (const parameter of parameters) {
    expect(groups.filter(({ matches }) => matches(parameter.name))).toHaveLength(1)
    const options = { weightDecay: 0.05 }
    const decayed = treatmentOf(parameter, { groups, ...options }).weightDecay
    expect(decayed).toBe(treatmentOf(parameter, { groups: [], ...options }).weightDecay)
  }
})
