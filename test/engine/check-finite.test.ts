import { describe, expect, test } from 'vitest'
import { checkFinite } from '../../src/engine/check-finite.js'
import { nodeDecoder } from '../../src/image/node/decode.js'
import { chooseRuntime } from '../../src/runtime/node/choose.js'
import { Model } from '../../src/tasks/model.js'
import { randomModel, randomPixels, shrunk } from '../support/tiny-models.js'

const logits = (...values: number[]) => ({
  dtype: 'float32' as const,
  shape: [2, values.length / 2],
  values: Float32Array.from(values),
})

describe('logits that are not numbers', () => {
  test.each([
    ['in the first picture', [Number.NaN, 1, 2, 3]],
    ['in the second', [0, 1, Number.NaN, 3]],
    ['infinite, of one class', [0, 1, 2, Number.NEGATIVE_INFINITY]],
  ])('are refused: %s', (_, values) => {
    expect(() => checkFinite(logits(...values), { precision: 'fp32' })).toThrow(/its weights overflow/)
    expect(() => checkFinite(logits(...values), { precision: 'fp16' })).toThrow(/Use --dtype fp32/)
  })

  test('of the second of two pictures end a run', async () => {
    const files = randomModel(shrunk('vit-tiny'))
    await using model = new Model('tiny', files, await chooseRuntime('cpu'), { decoder: nodeDecoder })
    const { values } = randomPixels(files.architecture)
    await expect(model.logits([values, values.map(() => Number.NaN)])).rejects.toMatchObject({
      code: 'ENGINE',
      message: expect.stringMatching(/not numbers/),
    })
    expect(await model.logits([values, values])).toHaveLength(2 * files.labels.length)
  })
})

test('the largest numbers of float32 are numbers', () => {
  checkFinite(logits(3.4e38, -3.4e38, 0, 1), { precision: 'fp32' })
})
