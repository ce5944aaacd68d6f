import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalNames as namesBy } from '../../../src/model-store/name-maps/canonical-names.js'
import { vitNames } from '../../../src/models/vit-names.js'
import { openCheckpoint } from '../../../src/weights/node/checkpoint.js'
import { readBytes, readFloats } from '../../../src/weights/read-floats.js'
import { storedFrom } from '../../../src/weights/stored-from.js'
import type { StoredTensor, StoredTensors } from '../../../src/weights/stored-tensor.js'
import { type HuggingFaceNaming, toHuggingFace } from '../../support/hugging-face-names.js'
import { hasSharedData, shared, withoutSharedData } from '../../support/shared-data.js'

const canonicalNames = (tensors: StoredTensors) => namesBy(tensors, vitNames)

let counter = 0
const tensor = (...shape: number[]): StoredTensor => {
  const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => counter++)
  return storedFrom(values, shape)
}

function timmVit({
  depth,
  width,
  distilled,
}: {
  depth: number
  width: number
  distilled: boolean
}): StoredTensors {
  const linear = (name: string, rows: number, columns: number): [string, StoredTensor][] => [
    [`${name}.weight`, tensor(rows, columns)],
    [`${name}.bias`, tensor(rows)],
  ]
  const norm = (name: string): [string, StoredTensor][] => [
    [`${name}.weight`, tensor(width)],
    [`${name}.bias`, tensor(width)],
  ]
  const block = (i: number) => [
    ...norm(`blocks.${i}.norm1`),
    ...linear(`blocks.${i}.attn.qkv`, 3 * width, width),
    ...linear(`blocks.${i}.attn.proj`, width, width),
    ...norm(`blocks.${i}.norm2`),
    ...linear(`blocks.${i}.mlp.fc1`, 4 * width, width),
    ...linear(`blocks.${i}.mlp.fc2`, width, 4 * width),
  ]
  return new Map([
    ['cls_token', tensor(1, 1, width)],
    ...(distilled ? [['dist_token', tensor(1, 1, width)] as const] : []),
    ['pos_embed', tensor(1, 5, width)],
    ['patch_embed.proj.weight', tensor(width, 3, 2, 2)],
    ['patch_embed.proj.bias', tensor(width)],
    ...Array.from({ length: depth }, (_, i) => block(i)).flat(),
    ...norm('norm'),
    ...linear('head', 7, width),
    ...(distilled ? linear('head_dist', 7, width) : []),
  ])
}

const arbitraryVit = fc
  .record({
    depth: fc.integer({ min: 1, max: 12 }),
    width: fc.integer({ min: 1, max: 4 }),
    distilled: fc.boolean(),
  })
  .map(timmVit)

const dialects: Readonly<Record<string, HuggingFaceNaming>> = {
  'ViT up to transformers 4': { style: 4 },
  'DeiT up to transformers 4': { style: 4, prefix: 'deit.' },
  'ViT of transformers 5': { style: 5 },
  'DeiT of transformers 5': { style: 5, prefix: 'deit.' },
  'a bare model': { style: 4, prefix: '' },
  'a bare model of transformers 5': { style: 5, prefix: '' },
}

test.each(Object.entries(dialects))('back from the names of %s is the identity', (_, naming) => {
  fc.assert(
    fc.property(arbitraryVit, (tensors) => {
      const back = canonicalNames(toHuggingFace(tensors, naming))
      expect(back.dialect).toBe('huggingface')
      expect(back.ignored).toEqual([])
      expect(back.tensors).toEqual(tensors) // the same bytes of the same sources: nothing was copied
    }),
    { numRuns: 30 },
  )
})

test('the one head of a fine-tuned DeiT is the head', () => {
  const tensors = timmVit({ depth: 1, width: 2, distilled: true })
  const back = canonicalNames(toHuggingFace(tensors, { prefix: 'deit.', oneHead: true })).tensors
  expect([...back.keys()].filter((name) => /head|dist/.test(name))).toEqual([
    'dist_token',
    'head.weight',
    'head.bias',
  ])
})

test('query, key and value are packed in this order', async () => {
  const values = (first: number) => storedFrom(Float32Array.of(first, first + 1), [2])
  const layer = 'vit.encoder.layer.0.attention.attention'
  const { tensors } = canonicalNames(
    new Map([
      ['vit.embeddings.patch_embeddings.projection.weight', tensor(2, 3, 1, 1)],
      [`${layer}.value.bias`, values(30)],
      [`${layer}.key.bias`, values(20)],
      [`${layer}.query.bias`, values(10)],
    ]),
  )
  const qkv = tensors.get('blocks.0.attn.qkv.bias')
  expect(qkv?.segments.length).toBe(3)
  expect(qkv && [...(await readFloats(qkv))]).toEqual([10, 11, 20, 21, 30, 31])
})

test('a model without its head, without the prefix, with a pooler and a mask token', () => {
  const timm = timmVit({ depth: 2, width: 2, distilled: false })
  const theirs = new Map(
    [...toHuggingFace(timm)]
      .filter(([name]) => !name.startsWith('classifier'))
      .map(([name, stored]) => [name.replace(/^vit\./, ''), stored]),
  )
  theirs.set('pooler.dense.weight', tensor(2, 2)).set('embeddings.mask_token', tensor(1, 1, 2))
  const { tensors, dialect, ignored } = canonicalNames(theirs)
  expect(dialect).toBe('huggingface')
  expect(ignored).toEqual(['pooler.dense.weight', 'embeddings.mask_token'])
  expect(new Set(tensors.keys())).toEqual(
    new Set([...timm.keys()].filter((name) => !name.startsWith('head'))),
  )
})

test("training frameworks' prefixes come off when every name has them", () => {
  const timm = timmVit({ depth: 1, width: 2, distilled: false })
  const wrap = (tensors: StoredTensors) =>
    new Map([...tensors].map(([name, t]) => [`module.model.${name}`, t]))
  expect(canonicalNames(wrap(timm)).tensors).toEqual(timm)
  expect(canonicalNames(wrap(toHuggingFace(timm))).tensors).toEqual(timm)
  const mixed = new Map([...wrap(timm), ['ema.decay', tensor(1)]])
  expect([...canonicalNames(mixed).tensors.keys()]).toEqual([...mixed.keys()])
})

test('names that no rule knows stay, for fitParameters to report', () => {
  const tensors = new Map([
    ['vit.embeddings.patch_embeddings.projection.weight', tensor(2, 3, 1, 1)],
    ['vit.encoder.layer.0.gate.weight', tensor(2)],
  ])
  expect([...canonicalNames(tensors).tensors.keys()]).toEqual([
    'patch_embed.proj.weight',
    'vit.encoder.layer.0.gate.weight',
  ])
})

test('a key without its query is an error, as are two names for one tensor', () => {
  const projection = ['embeddings.patch_embeddings.projection.weight', tensor(2, 3, 1, 1)] as const
  const key = ['encoder.layer.3.attention.attention.key.weight', tensor(2, 2)] as const
  expect(() => canonicalNames(new Map([projection, key]))).toThrow(
    /blocks\.3\.attn\.qkv\.weight is made of 3 tensors.*missing: .*query\.weight, .*value\.weight/,
  )
  const norms = [['layernorm.weight', tensor(2)] as const, ['vit.layernorm.weight', tensor(2)] as const]
  expect(() => canonicalNames(new Map([projection, ...norms]))).toThrow(
    /Two stored tensors would be norm\.weight/,
  )
})

test.skipIf(!hasSharedData)(
  `real weights pass through Hugging Face's names unchanged${withoutSharedData}`,
  async () => {
    const { tensors } = await openCheckpoint(shared('weights/vit_tiny_patch16_224'))
    expect(canonicalNames(tensors)).toEqual({ tensors, dialect: 'timm', ignored: [] })
    const back = canonicalNames(toHuggingFace(tensors)).tensors
    expect(back.size).toBe(tensors.size)
    for (const [name, stored] of tensors) {
      const returned = back.get(name)
      expect(returned?.shape).toEqual(stored.shape)
      expect(returned && Buffer.compare(await readBytes(returned), await readBytes(stored))).toBe(0)
    }
  },
)
