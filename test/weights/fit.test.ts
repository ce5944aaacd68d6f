import { expect, test } from 'vitest'
import { defined } from '../../src/base/assert.js'
import { BlvitError } from '../../src/base/blvit-error.js'
import { misfitAdvice } from '../../src/model-store/misfit-advice.js'
import type { Architecture } from '../../src/models/architecture.js'
import { presets } from '../../src/models/index.js'
import { fitParameters } from '../../src/weights/fit.js'
import { groupNames } from '../../src/weights/name-groups.js'
import { storedFrom } from '../../src/weights/stored-from.js'
import type { StoredTensors } from '../../src/weights/stored-tensor.js'

const vit = defined(presets['vit-tiny'], 'vit-tiny')
const blvit = defined(presets['t+48'], 't+48')

const parameters = (...entries: [string, ...number[]][]) =>
  entries.map(([name, ...shape]) => ({ name, shape }))
const stored = (...entries: [string, ...number[]][]): StoredTensors =>
  new Map(
    entries.map(([name, ...shape]) => [
      name,
      storedFrom(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape),
    ]),
  )

function misfit(
  expected: ReturnType<typeof parameters>,
  tensors: StoredTensors,
  architecture: Architecture = vit,
): BlvitError {
  try {
    fitParameters(expected, tensors, { source: 'model.safetensors', advise: misfitAdvice(architecture) })
  } catch (error) {
    if (error instanceof BlvitError) return error
    throw error
  }
  throw new Error('the parameters fitted')
}

test('a fit is in the order of the model', () => {
  const fitted = fitParameters(parameters(['a', 2], ['b', 3]), stored(['b', 3], ['a', 2]), {
    source: 'model',
  })
  expect([...fitted.keys()]).toEqual(['a', 'b'])
})

test('everything wrong is in one error', () => {
  const error = misfit(
    parameters(['norm.weight', 4], ['norm.bias', 4], ['head.weight', 10, 4]),
    stored(['norm.weigth', 4], ['norm.bias', 8], ['head.weight', 10, 4], ['extra.scale', 1]),
  )
  expect(error.code).toBe('BAD_WEIGHTS')
  expect(error.message).toMatchInlineSnapshot(
    `"model.safetensors does not fit the model: 1 missing: norm.weight; 2 unexpected: norm.weigth, extra.scale; 1 of another shape: norm.bias is [8], the model needs [4]. "norm.weigth": Did you mean "norm.weight"? The weights are for a model of another size: choose the model that they were made for."`,
  )
  expect(error.fields).toEqual({
    source: 'model.safetensors',
    missing: ['norm.weight'],
    unexpected: ['norm.weigth', 'extra.scale'],
    misshapen: [{ name: 'norm.bias', stored: [8], needed: [4] }],
  })
})

test('only shapes: another model size, another image size, other classes', () => {
  const size = misfit(
    parameters(['blocks.0.attn.qkv.weight', 3, 1]),
    stored(['blocks.0.attn.qkv.weight', 6, 2]),
  )
  expect(size.code).toBe('SHAPE_MISMATCH')
  expect(size.message).toMatchInlineSnapshot(
    `"model.safetensors does not fit the model: 1 of another shape: blocks.0.attn.qkv.weight is [6, 2], the model needs [3, 1]. The weights are for a model of another size: choose the model that they were made for."`,
  )
  expect(misfit(parameters(['pos_embed', 1, 5, 2]), stored(['pos_embed', 1, 10, 2])).message).toContain(
    'resample',
  )
  expect(misfit(parameters(['head.bias', 5]), stored(['head.bias', 10])).message).toContain(
    'number of classes',
  )
})

test('a plain ViT where a big.LITTLE one is needed', () => {
  const little = Array.from({ length: 11 }, (_, i) =>
    ['norm1', 'attn.qkv', 'attn.proj', 'norm2', 'mlp.down', 'mlp.fc1', 'mlp.fc2', 'mlp.up'].flatMap((layer) =>
      ['weight', 'bias'].map((end): [string, number] => [`blocks.${i + 1}.little.${layer}.${end}`, 1]),
    ),
  ).flat()
  const routing: [string, number][] = ['predictors.0.weight', 'predictors.0.bias', 'blocks.1.alpha1'].map(
    (name) => [name, 1],
  )
  const error = misfit(parameters(['norm.bias', 1], ...little, ...routing), stored(['norm.bias', 1]), blvit)
  expect(error.message).toMatchInlineSnapshot(
    `"model.safetensors does not fit the model: 179 missing: blocks.{1…11}.little.norm1.* (22), blocks.{1…11}.little.attn.* (44), blocks.{1…11}.little.norm2.* (22), blocks.{1…11}.little.mlp.* (88), predictors.0.{weight,bias} (2), blocks.1.alpha1. These are weights of a plain ViT: convert them to a big.LITTLE ViT first."`,
  )
})

test('weights of another family are called so only where that family knows all of them', () => {
  const norm = parameters(['norm.bias', 1])
  const withThese = (...names: string[]) =>
    misfit(norm, stored(['norm.bias', 1], ...names.map((name): [string, number] => [name, 1]))).message
  // every ViT but those with a norm before their blocks has it; a MobileViT knows no such name
  expect(withThese('patch_embed.proj.bias')).toBe(
    'model.safetensors does not fit the model: 1 unexpected: patch_embed.proj.bias.',
  )
  expect(withThese('blocks.0.ls1.gamma', 'norm_pre.weight')).not.toContain('These are weights of')
  expect(withThese('stages.1.0.conv1_1x1.weight', 'final_conv.weight')).toContain('weights of a MobileViT')
  expect(withThese('tokens_to_token.project.weight')).toContain('weights of a T2T-ViT')
  expect(withThese('blocks.1.little.mlp.up.bias', 'predictors.0.weight')).toContain(
    'weights of a big.LITTLE ViT',
  )
})

test('names are summed up', () => {
  expect(groupNames(['head.weight'])).toEqual(['head.weight'])
  expect(groupNames(['head.weight', 'head.bias', 'cls_token'])).toEqual([
    'head.{weight,bias} (2)',
    'cls_token',
  ])
  expect(groupNames(['a.0.w', 'a.1.w', 'a.2.w', 'b.1.w', 'b.5.w'])).toEqual([
    'a.{0…2}.w (3)',
    'b.{1,5}.w (2)',
  ])
  expect(groupNames(['p.0', 'p.1'])).toEqual(['p.{0…1} (2)'])
  expect(groupNames([])).toEqual([])
  const scattered = Array.from({ length: 30 }, (_, i) => `a.${2 * i}.w`)
  expect(groupNames(scattered)).toEqual(['a.{0,2,4,6,8,10,12,14,16,18,20,22,…,58}.w (30)'])
  const many = groupNames(Array.from({ length: 20 }, (_, i) => String.fromCharCode(97 + i)))
  expect(many.length).toBe(7)
  expect(many.at(-1)).toBe('and 14 more')
})
