import { describe, expect, test } from 'vitest'
import { input } from '../../src/graph/ops/index.js'
import { convert } from '../../src/model-store/convert.js'
import { parametersOf } from '../../src/model-store/model-files.js'
import { presets, withChanges } from '../../src/models/index.js'
import { predictorLogits } from '../../src/models/rankings.js'
import { evaluateTensors } from '../support/evaluate.js'
import { expectClose } from '../support/expect-close.js'
import { randomModel, shrunk } from '../support/tiny-models.js'

/** Φ(x) by Simpson's rule, which owes nothing to any erf. */
function gelu(x: number): number {
  const steps = 200
  const density = (t: number) => Math.exp((-t * t) / 2) / Math.sqrt(2 * Math.PI)
  let sum = density(0) + density(x)
  for (let i = 1; i < steps; i++) sum += (i % 2 === 1 ? 4 : 2) * density((x * i) / steps)
  return x * (0.5 + (sum * x) / (3 * steps))
}

describe('a prediction layer that is an MLP', () => {
  test('norms each patch, halves its width, and says one number', () => {
    const [patches, width, half] = [3, 6, 3]
    const wave = (count: number, phase: number) =>
      Float64Array.from({ length: count }, (_, i) => Math.sin(2.3 * i + phase))
    const x = wave(patches * width, 0)
    const leaves = {
      x: { shape: [1, patches, width], data: x },
      'predictors.2.norm.weight': { shape: [width], data: wave(width, 1) },
      'predictors.2.norm.bias': { shape: [width], data: wave(width, 2) },
      'predictors.2.fc1.weight': { shape: [half, width], data: wave(half * width, 3) },
      'predictors.2.fc1.bias': { shape: [half], data: wave(half, 4) },
      'predictors.2.fc2.weight': { shape: [1, half], data: wave(half, 5) },
      'predictors.2.fc2.bias': { shape: [1], data: wave(1, 6) },
    }
    const logits = predictorLogits(2, input('x', [1, patches, width]), {
      predictor: 'mlp',
      layerNormEpsilon: 1e-6,
    })
    const of = (name: string) => leaves[`predictors.2.${name}` as keyof typeof leaves].data
    const expected = Array.from({ length: patches }, (_, patch) => {
      const own = [...x.subarray(patch * width, (patch + 1) * width)]
      const mean = own.reduce((a, b) => a + b, 0) / width
      const variance = own.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width
      const normed = own.map(
        (value, i) =>
          ((value - mean) / Math.sqrt(variance + 1e-6)) * (of('norm.weight')[i] ?? 0) +
          (of('norm.bias')[i] ?? 0),
      )
      const hidden = Array.from({ length: half }, (_, row) =>
        gelu(
          normed.reduce(
            (sum, value, i) => sum + value * (of('fc1.weight')[row * width + i] ?? 0),
            of('fc1.bias')[row] ?? 0,
          ),
        ),
      )
      return hidden.reduce(
        (sum, value, i) => sum + value * (of('fc2.weight')[i] ?? 0),
        of('fc2.bias')[0] ?? 0,
      )
    })
    const [result] = evaluateTensors([logits], leaves)
    expect(result?.shape).toEqual([1, patches])
    expectClose(result?.data ?? [], expected, { atol: 1e-7 })
  })

  test('a T+48 gets four of 192 → 96 → 1, about a percent of its parameters and work', () => {
    const model = withChanges(presets['t+48'] ?? shrunk('t+48'), { predictor: 'mlp' })
    const own = parametersOf(model).filter(({ name }) => name.startsWith('predictors.3.'))
    expect(own.map(({ name, shape }) => [name.slice('predictors.3.'.length), shape])).toEqual([
      ['norm.weight', [192]],
      ['norm.bias', [192]],
      ['fc1.weight', [96, 192]],
      ['fc1.bias', [96]],
      ['fc2.weight', [1, 96]],
      ['fc2.bias', [1]],
    ])
    expect(model.facts.partOf('predictors.3.fc1.weight')).toBe('predictors')
    expect(model.facts.layerOf('predictors.3.fc1.weight')).toBe(10)
    expect(model.facts.isDecayed({ name: 'predictors.3.norm.weight', shape: [192] })).toBe(false)
  })

  test('a model with linear predictors is converted: they start anew, all else is copied', async () => {
    const source = randomModel(shrunk('t+48'))
    const { files, fresh, dropped, copied } = await convert(source, source.architecture, {
      set: { predictor: 'mlp' },
    })
    expect(files.architecture.json).toMatchObject({ predictor: 'mlp' })
    expect(new Set(fresh.map((name) => name.replace(/\d+/, 'N')))).toEqual(
      new Set(
        ['norm.weight', 'norm.bias', 'fc1.weight', 'fc1.bias', 'fc2.weight', 'fc2.bias'].map(
          (name) => `predictors.N.${name}`,
        ),
      ),
    )
    expect(dropped).toEqual([0, 1, 2, 3].flatMap((i) => [`predictors.${i}.weight`, `predictors.${i}.bias`]))
    expect(copied.length + dropped.length).toBe(source.weights.size)
    for (const name of copied) expect(files.weights.get(name)).toBe(source.weights.get(name))
  })
})

test('an E-block without attention has no parameters of one', () => {
  const json = shrunk('t+48').json as { little: object }
  const model = withChanges(shrunk('t+48'), { little: { ...json.little, attention: false } })
  const names = parametersOf(model).map(({ name }) => name)
  const gone = parametersOf(shrunk('t+48')).flatMap(({ name }) => (names.includes(name) ? [] : [name]))
  expect(new Set(gone.map((name) => name.replace(/\d+/, 'N')))).toEqual(
    new Set(
      ['gamma1', 'little.norm1.weight', 'little.norm1.bias']
        .concat(['qkv', 'proj'].flatMap((map) => [`little.attn.${map}.weight`, `little.attn.${map}.bias`]))
        .map((name) => `blocks.N.${name}`),
    ),
  )
})
