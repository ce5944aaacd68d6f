import { expect, test } from 'vitest'
import { withHead } from '../../src/model-store/with-head.js'
import { presets, withChanges } from '../../src/models/index.js'
import { randomModel } from '../support/tiny-models.js'

const base = randomModel(
  withChanges(presets['vit-micro'] as NonNullable<(typeof presets)[string]>, { depth: 1 }),
)
const head = { labels: ['cat', 'dog'], scores: 'softmax' } as const

test('a head stands where the old one was, with its classes', async () => {
  const weight = Float32Array.from({ length: 2 * 64 }, (_, at) => at)
  const { architecture, labels, weights } = await withHead(base, { ...head, weight, bias: [1, -1] })
  expect(architecture.classes).toBe(2)
  expect(labels).toEqual(['cat', 'dog'])
  expect(weights.get('head.weight')?.shape).toEqual([2, 64])
  expect(weights.get('head.bias')?.shape).toEqual([2])
})

test.each([
  ['of another width', 2 * 63, 2, 'The head has 126 weights and 2 biases'],
  ['of other classes', 2 * 64, 3, 'The head has 128 weights and 3 biases'],
])('a head %s is refused with the numbers that it needs', async (_, weights, biases, words) => {
  const given = { ...head, weight: new Float32Array(weights), bias: new Float32Array(biases) }
  const refused = expect(withHead(base, given)).rejects
  await refused.toMatchObject({ code: 'SHAPE_MISMATCH', message: expect.stringContaining(words) })
  await refused.toThrow('a model with 2 classes whose heads read 64 numbers needs 128 and 2')
})
