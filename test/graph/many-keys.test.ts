import { expect, test } from 'vitest'
import { graphOf } from '../../src/graph/graph.js'
import { toOnnx } from '../../src/graph/onnx/write.js'
import { attention, attentionMap, input } from '../../src/graph/ops/index.js'
import { mixedBy } from '../../src/nn/attention.js'
import { runTensors } from '../golden/own-cases/run-tensors.js'
import { expectClose } from '../support/expect-close.js'

const [queries, keys] = [5, 1100]
const q = input('q', [1, queries, 12])
const k = input('k', [1, keys, 12])
const v = input('v', [1, keys, 6])

const wave = (length: number, step: number) => Float32Array.from({ length }, (_, at) => Math.sin(at * step))

test.each([
  ['a scale of its own', 0.7],
  ['the usual one', undefined],
])('attention to many keys, whose map nobody holds, is what its map mixes, at %s', async (_, scale) => {
  const options = { heads: 2, scale }
  const { fused, mixed } = await runTensors(
    { fused: attention(q, k, v, options), mixed: mixedBy(attentionMap(q, k, options), v, 2) },
    {
      weights: new Map(),
      feeds: {
        q: { shape: [1, queries, 12], values: wave(queries * 12, 0.9).map((x) => 3 * x) },
        k: { shape: [1, keys, 12], values: wave(keys * 12, 0.37) },
        v: { shape: [1, keys, 6], values: wave(keys * 6, 0.11) },
      },
    },
  )
  // the order of float32 sums over 1100 keys
  expectClose(fused ?? [], mixed ?? [], { atol: 1e-5, rtol: 1e-5 })
})

test('a model that computes it so names the domain of the operator', () => {
  const graph = graphOf('many', { y: attention(q, k, v, { heads: 2 }) })
  const text = (target: 'native' | 'standard') =>
    Buffer.from(toOnnx(graph, { target, storageOf: () => 'fed' })).toString('latin1')
  expect(text('native')).toContain('MultiHeadAttention')
  // once of the node, once of the model
  expect(text('native').split('com.microsoft')).toHaveLength(3)
  expect(text('standard')).not.toContain('com.microsoft')
})
