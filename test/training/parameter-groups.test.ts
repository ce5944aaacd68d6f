import { expect, test } from 'vitest'
import { graphOf } from '../../src/graph/graph.js'
import { zeros } from '../../src/graph/initialiser.js'
import { readArchitecture } from '../../src/models/index.js'
import {
  type LearningRateScale,
  layerDecay,
  type ParameterGroup,
  treatmentOf,
} from '../../src/training/parameter-groups.js'
import { outputsOf, shrunk } from '../support/tiny-models.js'

/** Three layers, predictors behind the first two. */
const { facts } = shrunk('t+48', { depth: 3, full_layers: 1, predictor_after: [1, 2], little: null })

const scaleOf = (name: string, layerScale: LearningRateScale, groups: readonly ParameterGroup[] = []) => {
  const parameter = { name, shape: [2, 2], initialiser: zeros, learns: true, counted: true }
  return treatmentOf(parameter, { groups, layerScale, weightDecay: 0.05, isDecayed: () => true })
    .learningRateScale
}

test('layer-wise decay: the head at the full rate, each layer below at decay times the one above it', () => {
  const layerScale = layerDecay(facts, { decay: 0.5 })
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
    'predictors.1.weight': 1 / 4,
    'norm.weight': 1,
    'head.weight': 1,
    'head_dist.bias': 1,
    'student.blocks.0.mlp.fc1.weight': 1 / 8,
    'student.pos_embed': 1 / 16,
  }
  const found = Object.keys(scales).map((name) => [name, scaleOf(name, layerScale)])
  expect(Object.fromEntries(found)).toEqual(scales)
})

test('a group that says nothing of the learning rate leaves it to the layer', () => {
  const norms = { matches: (name: string) => name.includes('norm'), weightDecay: 0 }
  const slow = { matches: (name: string) => name.startsWith('blocks.2'), learningRateScale: 0.01 }
  const layerScale = layerDecay(facts, { decay: 0.5 })
  expect(scaleOf('blocks.0.norm1.weight', layerScale, [norms, slow])).toBe(1 / 8)
  expect(scaleOf('blocks.2.attn.qkv.weight', layerScale, [norms, slow])).toBe(0.01)
})

test('layer-wise decay gives every parameter of a bLViT the rate of one of its layers', () => {
  const architecture = readArchitecture(shrunk('t+48').json)
  const layerScale = layerDecay(architecture.facts, { decay: 0.5 })
  const { parameters } = graphOf('model', outputsOf(architecture.build()))
  const layers = new Set(parameters.map(({ name }) => 13 + Math.log2(layerScale(name))))
  expect([...layers].sort((a, b) => a - b)).toEqual(Array.from({ length: 14 }, (_, layer) => layer))
})
