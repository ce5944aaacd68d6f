import { beforeAll, describe, expect, test } from 'vitest'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import type { NamedTensors, Runtime } from '../../src/runtime/runtime.js'
import { webRuntime } from '../../src/runtime/web.js'
import { TrainingSession } from '../../src/training/training-session.js'
import { evaluateTensors, type Values } from '../support/evaluate.js'
import { expectClose } from '../support/expect-close.js'
import { type Golden, readGolden } from '../support/golden.js'
import { configOf, goldenBlvitFolder, readGoldenCase } from '../support/golden-blvit.js'
import { goldenStep, goldenTraining } from '../support/golden-train-step.js'
import { hasSharedData, withoutSharedData } from '../support/shared-data.js'

const { learningRate, lossParts } = goldenTraining
const config = () => configOf(readGoldenCase('train-step'))

function feeds(golden: Golden): NamedTensors {
  const labels = golden.integers('train/labels')
  return {
    pixel_values: { dtype: 'float32', shape: golden.shape('in/x'), values: golden.floats('in/x') },
    labels: { dtype: 'int64', shape: [labels.length], values: BigInt64Array.from(labels, BigInt) },
    // a quarter of 16 patches
    kept: { dtype: 'int64', shape: [1], values: BigInt64Array.of(4n) },
  }
}

type Result = ReadonlyMap<string, ArrayLike<number>>

/** Two steps by the float64 interpreter: what each reports, and the state after both. */
function twoStepsInFloat64(golden: Golden): { reports: Result[]; state: Result } {
  const { graph, state } = goldenStep(config())
  const values = (name: string): Values => ({
    shape: golden.shape(name),
    data: Float64Array.from(golden.floats(name)),
  })
  const leaves: Record<string, Values> = {
    learning_rate: { shape: [1], data: Float64Array.of(learningRate) },
  }
  for (const name of golden.weights('teacher/').keys()) leaves[`teacher.${name}`] = values(`teacher/${name}`)
  for (const [name, { shape, values: fed }] of Object.entries(feeds(golden))) {
    leaves[name] = { shape, data: Float64Array.from(fed, Number) }
  }
  for (const { input: name, shape, startsAs } of state) {
    const size = shape.reduce((a, b) => a * b, 1)
    leaves[name] = startsAs === undefined ? { shape, data: new Float64Array(size) } : values(`w/${startsAs}`)
  }
  const reports = [1, 2].map((number): Result => {
    const names = Object.keys(graph.outputs)
    const step = { shape: [1], data: Float64Array.of(number) }
    const results = evaluateTensors(Object.values(graph.outputs), { ...leaves, step }, { batch: 3, kept: 4 })
    const byName = new Map(names.map((name, i) => [name, results[i] ?? step]))
    for (const { input: name, output } of state) leaves[name] = byName.get(output) ?? step
    return new Map([...byName].map(([name, { data }]) => [name, data]))
  })
  return { reports, state: new Map(Object.entries(leaves).map(([name, { data }]) => [name, data])) }
}

const runtimes: readonly (readonly [string, () => Promise<Runtime>])[] = [
  ['onnxruntime-node', nativeRuntime],
  ['onnxruntime-web', webRuntime],
]

describe.skipIf(!hasSharedData)(`training the independent float64 bLViT${withoutSharedData}`, () => {
  let golden: Golden
  let inFloat64: ReturnType<typeof twoStepsInFloat64>
  beforeAll(async () => {
    golden = await readGolden(`${goldenBlvitFolder}/train-step.safetensors`)
    inFloat64 = twoStepsInFloat64(golden)
  })
  const names = () => [...golden.weights('w/').keys()]

  /** The golden gradients are those of the second step. */
  function expectGradients(of: (name: string) => ArrayLike<number>, relative: number) {
    for (const name of names()) {
      const expected = golden.floats(`train/grad/${name}`)
      const largest = expected.reduce((a, b) => Math.max(a, Math.abs(b)), 0)
      // The bias of a predictor has no gradient, because softmax doesn't see it: there only rounding is left.
      expectClose(of(name), expected, { atol: relative * Math.max(largest, 1e-3) })
    }
  }

  test('in float64: loss parts, every gradient, every weight after two AdamW steps', () => {
    inFloat64.reports.forEach((report, i) => {
      const parts = lossParts.map((part) => report.get(part)?.[0] ?? Number.NaN)
      // the golden file is float32
      expectClose(parts, golden.floats(`train/loss${i}`), { atol: 1e-6 })
    })
    expectGradients((name) => inFloat64.reports[1]?.get(`gradient of ${name}`) ?? [], 1e-6)
    for (const name of names()) {
      expectClose(inFloat64.state.get(name) ?? [], golden.floats(`train/after2/${name}`), { atol: 1e-6 })
    }
  })

  test.each(runtimes)(
    '%s: loss parts, every gradient, the weights after two AdamW steps',
    async (_, runtime) => {
      const step = goldenStep(config())
      expect(step.state.filter(({ startsAs }) => startsAs).map(({ input: name }) => name)).toEqual(
        expect.arrayContaining(names()),
      )
      const start = new Map(names().map((name) => [name, golden.floats(`w/${name}`).slice()]))
      const teacher = [...golden.weights('teacher/')].map(
        ([name, tensor]) => [`teacher.${name}`, tensor] as const,
      )
      await using session = await TrainingSession.open(await runtime(), step, {
        start,
        frozen: new Map(teacher),
      })
      let result: NamedTensors = {}
      for (const expected of ['train/loss0', 'train/loss1']) {
        result = await session.run(feeds(golden), { learningRate })
        const parts = lossParts.map((part) => Number(result[part]?.values[0]))
        expectClose(parts, golden.floats(expected), { atol: 1e-5 })
      }
      expectGradients((name) => Array.from(result[`gradient of ${name}`]?.values ?? [], Number), 1e-4)
      for (const name of names()) {
        const firstGradient = inFloat64.reports[0]?.get(`gradient of ${name}`) ?? []
        const got = session.state.get(name)?.values ?? []
        const expected = golden.floats(`train/after2/${name}`)
        // Adam divides a gradient by its own size: where it is smaller than 1e-6, or 0 as that of the key biases
        // is, float32's rounding of 1e-8 becomes a move of up to the learning rate a step.
        const isSound = (_: unknown, i: number) => Math.abs(firstGradient[i] ?? 0) > 1e-6
        const numbers = Array.from(got, Number)
        expectClose(numbers.filter(isSound), expected.filter(isSound), { atol: 1e-5 })
        expectClose(numbers, expected, { atol: 2.1 * learningRate })
      }
    },
  )
})
