import { expect, test } from 'vitest'
import { symbol } from '../../src/graph/dim.js'
import { graphOf } from '../../src/graph/graph.js'
import { add, input } from '../../src/graph/ops/index.js'
import { printGraph } from '../../src/graph/print.js'
import { scope } from '../../src/graph/scope.js'
import { attention } from '../../src/nn/attention.js'
import { layerNorm } from '../../src/nn/layer-norm.js'
import { mlp } from '../../src/nn/mlp.js'

/** The first half of a ViT block, then its second: x + attn(norm1(x)), x + mlp(norm2(x)). */
function block() {
  const x = input('tokens', [symbol('batch'), 5, 4])
  return scope('blocks.0', () => {
    const normed = layerNorm('norm1', x, { epsilon: 1e-6 })
    const middle = add(x, attention('attn', { queries: normed, keys: normed }, { heads: 2 }).output())
    return add(middle, mlp('mlp', layerNorm('norm2', middle, { epsilon: 1e-6 }), { hidden: 8 }))
  })
}

test('a block prints like the paper, the same however much was built before', () => {
  const first = printGraph(graphOf('block', { features: block() }))
  expect(printGraph(graphOf('block', { features: block() }))).toBe(first)
  expect(first).toMatchInlineSnapshot(`
    "block(tokens)
    blocks.0.norm1
      %0 = LayerNorm(tokens, weight, bias) epsilon=0.000001                  [batch, 5, 4]
    blocks.0.attn.q
      %1 = Slice(blocks.0.attn.qkv.weight) axis=0 start=0 end=4              [4, 4]
      %2 = Slice(blocks.0.attn.qkv.bias) axis=0 start=0 end=4                [4]
      %3 = Linear(%0, %1, %2)                                                [batch, 5, 4]
    blocks.0.attn.k
      %4 = Slice(blocks.0.attn.qkv.weight) axis=0 start=4 end=8              [4, 4]
      %5 = Slice(blocks.0.attn.qkv.bias) axis=0 start=4 end=8                [4]
      %6 = Linear(%0, %4, %5)                                                [batch, 5, 4]
    blocks.0.attn.v
      %7 = Slice(blocks.0.attn.qkv.weight) axis=0 start=8 end=12             [4, 4]
      %8 = Slice(blocks.0.attn.qkv.bias) axis=0 start=8 end=12               [4]
      %9 = Linear(%0, %7, %8)                                                [batch, 5, 4]
    blocks.0.attn
      %10 = Attention(%3, %6, %9) heads=2                                    [batch, 5, 4]
    blocks.0.attn.proj
      %11 = Linear(%10, weight, bias)                                        [batch, 5, 4]
    blocks.0
      %12 = Add(tokens, %11)                                                 [batch, 5, 4]
    blocks.0.norm2
      %13 = LayerNorm(%12, weight, bias) epsilon=0.000001                    [batch, 5, 4]
    blocks.0.mlp.fc1
      %14 = Linear(%13, weight, bias)                                        [batch, 5, 8]
    blocks.0.mlp
      %15 = Gelu(%14)                                                        [batch, 5, 8]
    blocks.0.mlp.fc2
      %16 = Linear(%15, weight, bias)                                        [batch, 5, 4]
    blocks.0
      %17 = Add(%12, %16)                                                    [batch, 5, 4]  → features"
  `)
})
