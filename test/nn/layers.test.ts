import { describe, expect, test } from 'vitest'
import { conventions } from '../../src/graph/cost.js'
import { plus, symbol } from '../../src/graph/dim.js'
import { graphOf, type Parameter } from '../../src/graph/graph.js'
import { constantOf, ones, truncatedNormal, zeros } from '../../src/graph/initialiser.js'
import { input } from '../../src/graph/ops/index.js'
import { scope } from '../../src/graph/scope.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { attention } from '../../src/nn/attention.js'
import { layerNorm } from '../../src/nn/layer-norm.js'
import { linear, packedLinear, widthOf } from '../../src/nn/linear.js'
import { mlp } from '../../src/nn/mlp.js'
import { patchEmbed } from '../../src/nn/patch-embed.js'

const batch = symbol('batch')
const tokens = input('tokens', [batch, 9, 4])
const few = input('few', [batch, symbol('kept'), 4])

/** name → shape and start, in order of use */
function parametersOf(build: () => Tensor): Record<string, Pick<Parameter, 'shape' | 'initialiser'>> {
  const { parameters } = graphOf('layer', { y: scope('blocks.0', build) })
  return Object.fromEntries(parameters.map(({ name, shape, initialiser }) => [name, { shape, initialiser }]))
}

describe('layers have timm’s parameters', () => {
  test('linear: weight [out, in] as asked for, bias 0', () => {
    expect(parametersOf(() => linear('head', tokens, { out: 7, initialiser: constantOf(0.5) }))).toEqual({
      'blocks.0.head.weight': { shape: [7, 4], initialiser: constantOf(0.5) },
      'blocks.0.head.bias': { shape: [7], initialiser: zeros },
    })
  })

  test('layer norm starts as the identity', () => {
    expect(parametersOf(() => layerNorm('norm1', tokens, { epsilon: 1e-6 }))).toEqual({
      'blocks.0.norm1.weight': { shape: [4], initialiser: ones },
      'blocks.0.norm1.bias': { shape: [4], initialiser: zeros },
    })
  })

  test('attention packs query, key and value in qkv, also within a narrower inner width', () => {
    const build = () =>
      attention(
        'attn',
        { queries: few, keys: tokens },
        { heads: 1, innerWidth: 2, projInitialiser: zeros },
      ).output()
    expect(parametersOf(build)).toEqual({
      'blocks.0.attn.qkv.weight': { shape: [6, 4], initialiser: truncatedNormal },
      'blocks.0.attn.qkv.bias': { shape: [6], initialiser: zeros },
      'blocks.0.attn.proj.weight': { shape: [4, 2], initialiser: zeros },
      'blocks.0.attn.proj.bias': { shape: [4], initialiser: zeros },
    })
    expect(build().shape.map(String)).toEqual(['batch', 'kept', '4'])
  })

  test('mlp goes up to the hidden width and back', () => {
    const shapes = Object.entries(parametersOf(() => mlp('mlp', tokens, { hidden: 16 })))
    expect(shapes.map(([name, { shape }]) => [name, shape])).toEqual([
      ['blocks.0.mlp.fc1.weight', [16, 4]],
      ['blocks.0.mlp.fc1.bias', [16]],
      ['blocks.0.mlp.fc2.weight', [4, 16]],
      ['blocks.0.mlp.fc2.bias', [4]],
    ])
  })

  test('patch embedding maps each patch of a picture that need not be square', () => {
    const pixels = input('pixels', [batch, 3, 32, 48])
    const embedded = patchEmbed(pixels, { patchSize: 16, width: 5 })
    expect(embedded.shape.map(String)).toEqual(['batch', '6', '5'])
    expect(graphOf('layer', { embedded }).parameters.map(({ name, shape }) => [name, shape])).toEqual([
      ['patch_embed.proj.weight', [5, 3, 16, 16]],
      ['patch_embed.proj.bias', [5]],
    ])
  })
})

test('the CLS token’s view costs nothing until somebody asks, and then stands in the layer’s scope', () => {
  const layer = scope('blocks.2', () => attention('attn', { queries: tokens, keys: tokens }, { heads: 2 }))
  const output = layer.output()
  const opsOf = (outputs: Record<string, Tensor>) => graphOf('g', outputs).nodes.map(({ op }) => op)
  expect(opsOf({ output })).not.toContain('QueryAttention')
  const view = scope('selections.0', () => layer.clsRow())
  expect(opsOf({ output, view })).toContain('QueryAttention')
  expect(view.scope).toBe('blocks.2.attn')
  expect(view.shape.map(String)).toEqual(['batch', '9'])
  expect(graphOf('g', { output, view }).parameters).toEqual(graphOf('g', { output }).parameters)
})

test('a width that is known only at run time is refused: weights have fixed shapes', () => {
  expect(() => widthOf(input('x', [batch, symbol('width')]))).toThrow('symbolic width width')
})

test('packed maps read their own rows in the order of packing', () => {
  const maps = packedLinear('kv', { k: tokens, v: few }, { width: 4, out: 3 })
  const rowsOf = (map: Tensor) => map.inputs[1]?.attributes
  expect(rowsOf(maps.k)).toMatchObject({ axis: 0, start: 0, end: 3 })
  expect(rowsOf(maps.v)).toMatchObject({ axis: 0, start: 3, end: 6 })
  expect([maps.k, maps.v].map(({ scope: place }) => place)).toEqual(
    ['kv.k', 'kv.v'].map((place) => place.slice(3)),
  )
})

describe('attention as a view', () => {
  const view = () => attention('attn', { queries: tokens, keys: tokens }, { heads: 2 })
  const opsOf = (outputs: Record<string, Tensor>) => graphOf('g', outputs).nodes.map(({ op }) => op)

  test('is the fused op while nobody asks for the map, and goes on from the map if somebody has', () => {
    const plain = view()
    expect(opsOf({ output: plain.output() })).toContain('Attention')
    const asked = view()
    const map = asked.map()
    expect(map.shape.map(String)).toEqual(['batch', '2', '9', '9'])
    expect(asked.map()).toBe(map)
    const ops = opsOf({ map, output: asked.output() })
    expect(ops).not.toContain('Attention')
    expect(ops.filter((op) => op === 'AttentionMap')).toHaveLength(1)
    // asked otherwise, it is another attention
    const scaled = opsOf({ map, output: asked.output({ scale: 1 }) })
    expect(scaled).toEqual(expect.arrayContaining(['Attention', 'AttentionMap']))
  })

  test('costs the same in both forms', () => {
    const cost = (outputs: Record<string, Tensor>) =>
      graphOf('g', outputs)
        .nodes.map((node) => conventions.full(node.cost()))
        .reduce(plus, 0)
    const asked = view()
    const map = asked.map()
    expect(String(cost({ map, output: asked.output() }))).toBe(String(cost({ output: view().output() })))
  })
})
