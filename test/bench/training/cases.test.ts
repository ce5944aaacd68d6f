import { expect, test } from 'vitest'
import { trainingCases } from '../../../src/bench/training/cases.js'
import { graphWork } from '../../../src/graph/graph.js'

test('multiply-adds of the small ViT’s step are those of each product, forward and backward', () => {
  const [batch, tokens, patches, width, hidden, layers, classes] = [64, 65, 64, 128, 512, 6, 10]
  const perLayer = {
    // output, gradient of the input, gradient of the weight
    linear: 3 * tokens * (4 * width * width + 2 * width * hidden),
    // forward q·kᵀ and A·v; backward the gradients of A, v, q and k
    attention: 6 * tokens * tokens * width,
  }
  // pictures get no gradient
  const patchEmbedding = 2 * patches * (3 * 4 * 4) * width
  const head = 3 * width * classes
  const expected = batch * (layers * (perLayer.linear + perLayer.attention) + patchEmbedding + head)
  const { graph } = trainingCases.vit.build()
  expect(graphWork(graph, { batch })).toBe(expected)
})

test('block imitation runs the teacher forward only', () => {
  const { graph, state } = trainingCases.imitation.build()
  const scopes = new Set(graph.nodes.map(({ scope }) => scope))
  expect(scopes).toContain('gradient/blocks.3.little.mlp.fc1')
  expect(scopes).not.toContain('gradient/blocks.3.mlp.fc1')
  expect(state.some(({ input }) => input === 'blocks.3.mlp.fc1.weight')).toBe(false)
})
