import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/base/random.js'
import { symbol } from '../../src/graph/dim.js'
import { input } from '../../src/graph/ops/index.js'
import { initialWeights } from '../../src/model-store/initial-weights.js'
import { blvit } from '../../src/models/blvit.js'
import type { BlvitConfig } from '../../src/models/blvit-config.js'
import { vit } from '../../src/models/vit.js'
import { usualSwitches, type VitConfig } from '../../src/models/vit-config.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import type { NamedTensors, Runtime } from '../../src/runtime/runtime.js'
import { webRuntime } from '../../src/runtime/web.js'
import { crossEntropy, smoothedTargets } from '../../src/training/objectives/cross-entropy.js'
import { TrainingSession } from '../../src/training/training-session.js'
import { type TrainingStepOptions, trainingStep } from '../../src/training/training-step.js'
import { readFloats } from '../../src/weights/read-floats.js'
import { expectClose } from '../support/expect-close.js'
import { outputsOf } from '../support/tiny-models.js'

const pictures = 16
const config: BlvitConfig = {
  family: 'blvit',
  ...usualSwitches({ distilled: false }),
  image: { height: 16, width: 16 },
  patchSize: 4,
  channels: 3,
  width: 24,
  depth: 3,
  heads: 2,
  mlpRatio: 2,
  classes: 8,
  layerNormEpsilon: 1e-6,
  distilled: false,
  fullLayers: 1,
  predictorAfter: [1],
  keepRatio: 0.25,
  keepSchedule: [1],
  selection: 'predictor',
  predictor: 'linear',
  semiCross: true,
  fuse: 'half',
  gamma: 'scalar',
  little: { width: 8, heads: 1, mlpRatio: 2, attention: true, layers: [2, 3], initialisation: 'normal' },
}

const plain: VitConfig = { ...config, family: 'vit' }

const models = {
  'a tiny bLViT': () => blvit(config, { sizes: { kept: 4 } }),
  'a tiny ViT': () => vit(plain),
}

function tinyStep(options: TrainingStepOptions = {}, model = models['a tiny bLViT']) {
  const { logits } = outputsOf(model())
  const labels = input('labels', [symbol('batch')], { dtype: 'int64' })
  const loss = crossEntropy(logits, smoothedTargets(labels, { classes: config.classes, smoothing: 0 }))
  return trainingStep('tiny', loss, { reports: { logits }, ...options })
}

async function startOf(step: ReturnType<typeof tinyStep>): Promise<Map<string, Float32Array>> {
  const { parameters } = step.accumulation?.graph ?? step.graph
  const drawn = parameters.map(
    async (parameter) => [parameter.name, await readFloats(initialWeights(parameter, { seed: 3 }))] as const,
  )
  return new Map(await Promise.all(drawn))
}

/** Sixteen pictures of noise, two of each class: nothing but memory can tell them apart. */
function noise(): NamedTensors {
  const random = seededRandom(11)
  return {
    pixel_values: {
      dtype: 'float32',
      shape: [pictures, 3, 16, 16],
      values: Float32Array.from({ length: pictures * 3 * 256 }, () => 2 * random() - 1),
    },
    labels: {
      dtype: 'int64',
      shape: [pictures],
      values: BigInt64Array.from({ length: pictures }, (_, i) => BigInt(i % config.classes)),
    },
  }
}

function correct(results: NamedTensors): number {
  const logits = results.logits?.values ?? []
  return Array.from({ length: pictures }, (_, i) => {
    const row = Array.from(logits, Number).slice(i * config.classes, (i + 1) * config.classes)
    return row.indexOf(Math.max(...row)) === i % config.classes
  }).filter(Boolean).length
}

const runtimes: readonly (readonly [string, () => Promise<Runtime>])[] = [
  ['onnxruntime-node', nativeRuntime],
  ['onnxruntime-web', webRuntime],
]

describe.each(runtimes)('training on %s', (_, runtime) => {
  test.each(Object.entries(models))('%s learns 16 pictures of noise by heart', async (_, model) => {
    const step = tinyStep({}, model)
    await using session = await TrainingSession.open(await runtime(), step, {
      start: await startOf(step),
      threads: 1,
    })
    const inputs = noise()
    const first = await session.run(inputs, { learningRate: 3e-3 })
    expect(correct(first)).toBeLessThan(pictures)
    const lossOf = ({ loss }: NamedTensors) => Number(loss?.values[0])
    let results = first
    while (session.steps < 200 && !(correct(results) === pictures && lossOf(results) < lossOf(first) / 10)) {
      results = await session.run(inputs, { learningRate: 3e-3 })
    }
    expect(correct(results)).toBe(pictures)
    expect(lossOf(results)).toBeLessThan(lossOf(first) / 10)
  })

  test('the same start and the same pictures give the same bytes', async () => {
    const step = tinyStep()
    const states = await Promise.all(
      [1, 2].map(async () => {
        const session = await TrainingSession.open(await runtime(), step, {
          start: await startOf(step),
          threads: 1,
        })
        for (let i = 0; i < 3; i++) await session.run(noise(), { learningRate: 1e-3 })
        const state = new Map([...session.state].map(([key, { values }]) => [key, values.slice()]))
        await session.dispose()
        return state
      }),
    )
    expect(states[0]).toEqual(states[1])
    expect(states[0]?.size).toBe(step.state.length)
  })
})

test('one thread and two see the same losses for 20 steps', async () => {
  const step = tinyStep()
  const runs = [1, 2].map(async (threads) => {
    const start = await startOf(step)
    await using session = await TrainingSession.open(await nativeRuntime(), step, { start, threads })
    const losses: number[] = []
    for (let i = 0; i < 20; i++) {
      const { loss } = await session.run(noise(), { learningRate: 1e-3 })
      losses.push(Number(loss?.values[0]))
    }
    return losses
  })
  const [one = [], two = []] = await Promise.all(runs)
  expect(one).toHaveLength(20)
  expectClose(two, one, { atol: 1e-4 })
})

test('on onnxruntime-node steps write into two sets of buffers, turn about', async () => {
  const step = tinyStep()
  await using session = await TrainingSession.open(await nativeRuntime(), step, {
    start: await startOf(step),
  })
  const seen = new Set<unknown>()
  for (let i = 0; i < 4; i++) {
    await session.run(noise(), { learningRate: 1e-3 })
    for (const { values } of session.state.values()) seen.add(values)
  }
  expect(seen.size).toBe(2 * step.state.length)
})

test('a session that goes on with another’s state makes the same steps', async () => {
  const step = tinyStep()
  const make = async (start: Map<string, Float32Array>, steps: number) =>
    TrainingSession.open(await nativeRuntime(), step, { start, steps, threads: 1 })
  const run = async (session: TrainingSession, count: number) => {
    for (let i = 0; i < count; i++) await session.run(noise(), { learningRate: 1e-3 })
    return new Map([...session.state].map(([key, { values }]) => [key, Float32Array.from(values, Number)]))
  }
  await using whole = await make(await startOf(step), 0)
  await using first = await make(await startOf(step), 0)
  await using second = await make(await run(first, 2), first.steps)
  expect(await run(second, 2)).toEqual(await run(whole, 4))
  expect(second.steps).toBe(4)
})

test('a parameter without a start is named before the engine sees anything', async () => {
  const step = tinyStep()
  const start = await startOf(step)
  start.delete('blocks.1.norm1.weight')
  await expect(TrainingSession.open(await nativeRuntime(), step, { start })).rejects.toMatchObject({
    code: 'BAD_WEIGHTS',
    message: 'Training needs 24 numbers [24] to start blocks.1.norm1.weight with, but got none.',
  })
})

/** Some of the pictures. */
function part({ pixel_values: pixels, labels }: NamedTensors, from: number, to: number): NamedTensors {
  if (pixels?.dtype !== 'float32' || labels?.dtype !== 'int64') throw new Error('not the pictures')
  const count = to - from
  const [, ...shape] = pixels.shape
  const size = pixels.values.length / pictures
  return {
    pixel_values: {
      ...pixels,
      shape: [count, ...shape],
      values: pixels.values.slice(from * size, to * size),
    },
    labels: { ...labels, shape: [count], values: labels.values.slice(from, to) },
  }
}

describe.each(runtimes)('accumulation on %s', (_, runtime) => {
  test('four batches make the step that one of all their pictures makes, clipped alike', async () => {
    // small enough that every step is clipped
    const clipNorm = 0.01
    const whole = tinyStep({ clipNorm })
    const inParts = tinyStep({ clipNorm, accumulate: 4 })
    await using one = await TrainingSession.open(await runtime(), whole, {
      start: await startOf(whole),
      threads: 1,
    })
    await using four = await TrainingSession.open(await runtime(), inParts, {
      start: await startOf(inParts),
      threads: 1,
    })
    for (let step = 1; step <= 2; step++) {
      const expected = await one.run(noise(), { learningRate: 1e-3 })
      const losses: number[] = []
      let results: NamedTensors = {}
      for (let batch = 0; batch < 4; batch++) {
        expect([four.steps, four.gathered]).toEqual([step - 1, batch])
        expect(results.gradient_norm).toBeUndefined()
        // a rate that would show if it were taken
        const learningRate = batch === 3 ? 1e-3 : 1e6
        results = await four.run(part(noise(), 4 * batch, 4 * batch + 4), { learningRate })
        losses.push(Number(results.loss?.values[0]))
      }
      expect([four.steps, four.gathered]).toEqual([step, 0])
      const mean = losses.reduce((a, b) => a + b) / 4
      expectClose([mean], Array.from(expected.loss?.values ?? [], Number), { rtol: 1e-5 })
      const norms = [results, expected].map((result) => Number(result.gradient_norm?.values[0]))
      expect(norms[0]).toBeGreaterThan(clipNorm)
      expectClose(norms.slice(0, 1), norms.slice(1), { rtol: 1e-5 })
    }
    expect([...four.state.keys()]).toEqual([...one.state.keys()])
    for (const [name, { values }] of one.state) {
      const moment = Array.from(one.state.get(`first_moment/${name}`)?.values ?? values, Number)
      // Adam divides a gradient by its own size: where that is rounding alone, so is the step's direction.
      const isSound = (_: unknown, i: number) => Math.abs(moment[i] ?? 0) > 1e-7
      const [expected, got] = [values, four.state.get(name)?.values ?? []].map((x) => Array.from(x, Number))
      expectClose((got ?? []).filter(isSound), (expected ?? []).filter(isSound), { atol: 2e-5 })
    }
  })
})

test('between two steps of an accumulation the state stays that of the last one', async () => {
  const step = tinyStep({ accumulate: 2 })
  await using session = await TrainingSession.open(await nativeRuntime(), step, {
    start: await startOf(step),
    threads: 1,
  })
  const stateNow = () => new Map([...session.state].map(([name, { values }]) => [name, values.slice()]))
  await session.run(noise(), { learningRate: 1e-3 })
  await session.run(noise(), { learningRate: 1e-3 })
  const after = stateNow()
  await session.run(noise(), { learningRate: 1e-3 })
  expect(stateNow()).toEqual(after)
  await session.run(noise(), { learningRate: 1e-3 })
  expect(stateNow()).not.toEqual(after)
  expect(session.steps).toBe(2)
})

test.each([0, 1.5, Number.NaN])('accumulating %s batches is refused', (accumulate) => {
  expect(() => tinyStep({ accumulate })).toThrow(
    `accumulate is ${accumulate}; it must be a whole number from 1`,
  )
})
