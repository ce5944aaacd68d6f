import { describe, expect, test } from 'vitest'
import { truncatedNormal, zeros } from '../../src/graph/initialiser.js'
import { add, buffer, input, mean, multiply, parameter, subtract } from '../../src/graph/ops/index.js'
import { scope } from '../../src/graph/scope.js'
import {
  type TrainingStep,
  type TrainingStepOptions,
  trainingStep,
} from '../../src/training/training-step.js'
import { evaluateTensors, type Values } from '../support/evaluate.js'
import { expectClose } from '../support/expect-close.js'
import { shrunk } from '../support/tiny-models.js'

/** A matrix and a bias, drawn towards a target. */
function stepOf(options: TrainingStepOptions = {}): TrainingStep {
  const distance = scope('layer', () => {
    const sum = add(parameter('weight', [2, 2], truncatedNormal), parameter('bias', [2], zeros))
    return subtract(sum, input('target', [2, 2]))
  })
  return trainingStep('tiny', mean(multiply(distance, distance)), options)
}

type Leaves = Record<string, Values>
const vector = (...data: number[]): Values => ({ shape: [data.length], data: Float64Array.from(data) })
const matrix = (...data: number[]): Values => ({ shape: [2, 2], data: Float64Array.from(data) })

const weight = [0.5, -1, 2, 0.25]
const bias = [0.1, -0.2]
const target = [3, 1, -2, 0.5]

/** Runs the steps in float64 and tells the state after each. */
function run({ graph, state }: TrainingStep, { learningRate = 0.1, steps = 1 } = {}): Leaves[] {
  const start: Leaves = { 'layer.weight': matrix(...weight), 'layer.bias': vector(...bias) }
  let leaves: Leaves = { target: matrix(...target), learning_rate: vector(learningRate) }
  for (const { input: name, shape, startsAs } of state) {
    const size = shape.reduce((a, b) => a * b, 1)
    leaves[name] = (startsAs && start[startsAs]) || { shape, data: new Float64Array(size) }
  }
  leaves = { ...start, ...leaves }
  return Array.from({ length: steps }, (_, i) => {
    const names = Object.keys(graph.outputs)
    const results = evaluateTensors(Object.values(graph.outputs), { ...leaves, step: vector(i + 1) })
    for (const [j, name] of names.entries()) {
      const found = state.find(({ output }) => output === name)
      const result = results[j]
      if (result) leaves = { ...leaves, [found ? found.input : name]: result }
    }
    return leaves
  })
}

const numbers = (leaves: Leaves | undefined, name: string) => [...(leaves?.[name]?.data ?? [])]

/** The gradient of the weight at a point. */
function gradientAt(w: readonly number[], b: readonly number[]): number[] {
  return w.map((value, i) => (value + (b[i % 2] ?? 0) - (target[i] ?? 0)) / 2)
}

describe('AdamW', () => {
  test('follows its formulas, bias correction included, for ten steps', () => {
    const states = run(stepOf({ weightDecay: 0.3 }), { steps: 10 })
    let [w, b] = [weight, bias]
    let m = w.map(() => 0)
    let v = w.map(() => 0)
    states.forEach((state, i) => {
      const g = gradientAt(w, b)
      m = m.map((value, j) => 0.9 * value + 0.1 * (g[j] ?? 0))
      v = v.map((value, j) => 0.999 * value + 0.001 * (g[j] ?? 0) ** 2)
      w = w.map((value, j) => {
        const first = (m[j] ?? 0) / (1 - 0.9 ** (i + 1))
        const second = (v[j] ?? 0) / (1 - 0.999 ** (i + 1))
        return value * (1 - 0.1 * 0.3) - (0.1 * first) / (Math.sqrt(second) + 1e-8)
      })
      b = numbers(state, 'layer.bias')
      expectClose(numbers(state, 'layer.weight'), w, { rtol: 1e-10 })
      expectClose(numbers(state, 'first_moment/layer.weight'), m, { rtol: 1e-10 })
      expectClose(numbers(state, 'second_moment/layer.weight'), v, { rtol: 1e-10 })
    })
  })

  test('weight decay spares the bias, and a group may change that', () => {
    const decayed = (options: TrainingStepOptions) => {
      const [with_] = run(stepOf({ weightDecay: 0.5, ...options }))
      const [without] = run(stepOf({ weightDecay: 0 }))
      return ['layer.weight', 'layer.bias'].map((name) => {
        const [a, b] = [numbers(with_, name), numbers(without, name)]
        return a.map((value, i) => value - (b[i] ?? 0))
      })
    }
    const shrunk = (values: readonly number[]) => values.map((value) => -0.05 * value)
    const [plainWeight, plainBias] = decayed({})
    expectClose(plainWeight ?? [], shrunk(weight), { atol: 1e-12 })
    expect(plainBias).toEqual([0, 0])
    const [, groupBias] = decayed({
      groups: [{ matches: (name) => name.endsWith('bias'), weightDecay: 0.5 }],
    })
    expectClose(groupBias ?? [], shrunk(bias), { atol: 1e-12 })
  })

  test('parameters that are treated alike learn together what each would alone', () => {
    const [together] = run(stepOf({ weightDecay: 0 }), { steps: 1 })
    const slower = { matches: (name: string) => name.endsWith('bias'), learningRateScale: 1 - 1e-15 }
    const [apart] = run(stepOf({ weightDecay: 0, groups: [slower] }), { steps: 1 })
    expect(Object.keys(together ?? {})).toContain('first_moment/layer.weight+1')
    expect(Object.keys(apart ?? {})).toContain('first_moment/layer.bias')
    for (const name of ['layer.weight', 'layer.bias'])
      expectClose(numbers(together, name), numbers(apart, name), { atol: 1e-12 })
  })

  test('who knows the model says what is not decayed; else biases and norms alone are not', () => {
    const loss = scope('student', () =>
      mean(multiply(parameter('pos_embed', [1, 2, 2], zeros), parameter('w', [2, 2], zeros))),
    )
    const decays = (name: string, { graph }: TrainingStep) =>
      graph.nodes.some(
        (node) =>
          node.scope === `optimiser.${name}` &&
          node.op === 'ScaleShift' &&
          node.inputs[0]?.leaf?.name === 'learning_rate',
      )
    // alike, so one bundle
    expect(decays('student.pos_embed+1', trainingStep('embedding', loss))).toBe(true)
    const { isDecayed } = shrunk('t+48').facts
    const step = trainingStep('embedding', loss, { isDecayed })
    expect([decays('student.pos_embed', step), decays('student.w', step)]).toEqual([false, true])
  })

  test('a group scales the learning rate', () => {
    const groups = [{ matches: (name: string) => name.endsWith('weight'), learningRateScale: 0.25 }]
    const [scaled] = run(stepOf({ weightDecay: 0.3, groups }), { learningRate: 0.4 })
    const [plain] = run(stepOf({ weightDecay: 0.3 }), { learningRate: 0.1 })
    expectClose(numbers(scaled, 'layer.weight'), numbers(plain, 'layer.weight'), { rtol: 1e-12 })
    expect(numbers(scaled, 'layer.bias')).not.toEqual(numbers(plain, 'layer.bias'))
  })

  test('what is frozen has neither state nor gradient', () => {
    const { state, frozen } = stepOf({ groups: [{ matches: (name) => name.endsWith('bias'), frozen: true }] })
    expect(state.map(({ input: name }) => name).sort()).toEqual([
      'first_moment/layer.weight',
      'layer.weight',
      'second_moment/layer.weight',
    ])
    expect(frozen.map(({ name }) => name)).toEqual(['layer.bias'])
  })

  test('a step with everything frozen is refused', () => {
    expect(() => stepOf({ groups: [{ matches: () => true, frozen: true }] })).toThrow(
      'tiny has nothing to train: all its 2 parameters are frozen.',
    )
  })

  test('a parameter that only a report needs is not trained', () => {
    const { frozen, state } = stepOf({ reports: { other: parameter('other.weight', [3], zeros) } })
    expect(frozen.map(({ name }) => name)).toEqual(['other.weight'])
    expect(state).toHaveLength(6)
  })

  test.each(['loss', 'next/layer.bias', 'target'])('a report called %s is refused', (name) => {
    const reports = { [name]: input('anything', [1]) }
    expect(() => stepOf({ reports })).toThrow(`The report "${name}" has the name of an input or output`)
  })

  test('clipping scales all gradients to the norm, and leaves smaller ones alone', () => {
    const g = gradientAt(weight, bias)
    const ofBias = [0, 1].map((i) => (g[i] ?? 0) + (g[i + 2] ?? 0))
    const norm = Math.hypot(...g, ...ofBias)
    const [clipped] = run(stepOf({ clipNorm: norm / 4 }))
    expectClose(numbers(clipped, 'gradient_norm'), [norm], { rtol: 1e-12 })
    const quarter = g.map((value) => (0.1 * value) / 4)
    expectClose(numbers(clipped, 'first_moment/layer.weight'), quarter, { rtol: 1e-12 })
    const [free] = run(stepOf({ clipNorm: norm * 2 }))
    expectClose(
      numbers(free, 'first_moment/layer.weight'),
      g.map((value) => 0.1 * value),
      { rtol: 1e-12 },
    )
  })

  test('the running mean of the parameters starts as they do and follows them', () => {
    const [first, second] = run(stepOf({ emaDecay: 0.75 }), { steps: 2 })
    const mix = (a: readonly number[], b: readonly number[]) =>
      a.map((value, i) => 0.75 * value + 0.25 * (b[i] ?? 0))
    const afterOne = mix(weight, numbers(first, 'layer.weight'))
    expectClose(numbers(first, 'ema/layer.weight'), afterOne, { rtol: 1e-12 })
    expectClose(numbers(second, 'ema/layer.weight'), mix(afterOne, numbers(second, 'layer.weight')), {
      rtol: 1e-12,
    })
  })
})

test('a single number learns; a buffer is stored, but neither trained nor part of the state', () => {
  const scaled = multiply(parameter('scale', [], zeros), buffer('pattern', [2, 2], zeros))
  const distance = subtract(scaled, input('target', [2, 2]))
  const step = trainingStep('scale', mean(multiply(distance, distance)), { weightDecay: 0 })
  expect(step.state.filter(({ startsAs }) => startsAs !== undefined)).toMatchObject([
    { input: 'scale', shape: [] },
  ])
  expect(step.frozen.map(({ name }) => name)).toEqual(['pattern'])
  const leaves: Leaves = {
    target: matrix(...target),
    pattern: matrix(...weight),
    step: vector(1),
    learning_rate: vector(0.1),
  }
  for (const { input: name, shape, startsAs } of step.state)
    leaves[name] = { shape, data: Float64Array.of(startsAs === undefined ? 0 : 2) }
  const names = Object.keys(step.graph.outputs)
  const results = evaluateTensors(Object.values(step.graph.outputs), leaves)
  const next = results[names.indexOf(step.state.find(({ startsAs }) => startsAs === 'scale')?.output ?? '')]
  // the first step of Adam goes one learning rate against the gradient's sign: here downhill towards Σpt/Σp² < 2
  expectClose(next?.data ?? [], [1.9], { rtol: 1e-6, atol: 0 })
})
