import { describe, expect, test } from 'vitest'
import { checkFinite } from '../../src/engine/check-finite.js'
import { nodeDecoder } from '../../src/image/node/decode.js'
import type { ModelFiles } from '../../src/model-store/model-files.js'
import { chooseRuntime } from '../../src/runtime/node/choose.js'
import type { Settings } from '../../src/settings/settings.js'
import { Model } from '../../src/tasks/model.js'
import { storedFrom } from '../../src/weights/stored-from.js'
import { randomModel, randomPixels, shrunk } from '../support/tiny-models.js'

const logits = (...values: number[]) => ({
  logits: { dtype: 'float32' as const, shape: [2, values.length / 2], values: Float32Array.from(values) },
})

const weights = new Map([['sound', storedFrom(Float32Array.of(1), [1])]])

describe('logits that are not numbers', () => {
  test.each([
    ['in the first picture', [Number.NaN, 1, 2, 3]],
    ['in the second', [0, 1, Number.NaN, 3]],
    ['infinite, of one class', [0, 1, 2, Number.NEGATIVE_INFINITY]],
  ])('are refused: %s', async (_, values) => {
    const check = (precision: 'fp32' | 'fp16') => checkFinite(logits(...values), { precision, weights })
    await expect(check('fp32')).rejects.toThrow(/its weights overflow/)
    await expect(check('fp16')).rejects.toThrow(/Use --dtype fp32/)
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

test('the largest numbers of float32 are numbers', async () => {
  await checkFinite(logits(3.4e38, -3.4e38, 0, 1), { precision: 'fp32', weights })
})

/** The same model with one weight of a tensor set to something else. */
function withWeight(files: ModelFiles, name: string, value: number): ModelFiles {
  const shape = files.weights.get(name)?.shape ?? []
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(0.1)
  values[values.length >> 1] = value
  return { ...files, weights: new Map([...files.weights, [name, storedFrom(values, shape)]]) }
}

describe('a weight that is not a number is named, wherever it is', () => {
  const settings: readonly (readonly [string, Settings, RegExp])[] = [
    ['vit-tiny', {}, /^(?!blocks)|^blocks\.0\./],
    ['vit-tiny', { reduce: 'tome:1' }, /^blocks\.11\./],
    // predictors only order tokens: no logit shows what they are
    ['t+48', { keepRatio: 0.5 }, /predictors?\.|^blocks\.11\.|little.*\.11\.|^head/],
  ]
  test.each(settings)('%s %j', async (preset, setting, which) => {
    const files = randomModel(shrunk(preset))
    const { values } = randomPixels(files.architecture)
    const { runtime, reason } = await chooseRuntime('cpu', { thread: 'caller' })
    const names = [...files.weights.keys()].filter((name) => which.test(name))
    expect(names.length).toBeGreaterThan(10)
    for (const name of names) {
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
        const broken = withWeight(files, name, value)
        await using model = new Model(preset, broken, { runtime, reason }, { decoder: nodeDecoder })
        await expect(model.logits([values], setting), `${name} ${value}`).rejects.toMatchObject({
          code: 'BAD_WEIGHTS',
          message: expect.stringContaining(`${name} (`),
        })
      }
    }
  })

  test('in whole numbers of 8 bits too, which have no NaN', async () => {
    const files = withWeight(randomModel(shrunk('vit-tiny')), 'blocks.3.mlp.fc1.weight', Number.NaN)
    const options = { decoder: nodeDecoder, precision: 'int8' as const }
    await using model = new Model('tiny', files, await chooseRuntime('cpu'), options)
    const { values } = randomPixels(files.architecture)
    await expect(model.logits([values])).rejects.toMatchObject({ code: 'BAD_WEIGHTS' })
  })
})
