import { describe, expect, test } from 'vitest'
import { symbol } from '../../src/graph/dim.js'
import { gradients } from '../../src/graph/gradients.js'
import { graphOf } from '../../src/graph/graph.js'
import { input, scaleShift } from '../../src/graph/ops/index.js'
import { programOf } from '../../src/models/model-definition.js'
import { vit } from '../../src/models/vit.js'
import { usualSwitches, type VitConfig } from '../../src/models/vit-config.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import { cosineDistance } from '../../src/training/objectives/cosine-distance.js'
import { crossEntropy, smoothedTargets } from '../../src/training/objectives/cross-entropy.js'
import { hardDistillation, softDistillation } from '../../src/training/objectives/deit-distillation.js'
import { klDivergence } from '../../src/training/objectives/kl-divergence.js'
import { meanSquaredError, normalisedSquaredError } from '../../src/training/objectives/squared-error.js'
import { Bench } from '../graph/bench.js'
import { generate } from '../graph/reference.js'
import { evaluateTensors, type Values } from '../support/evaluate.js'
import { expectClose } from '../support/expect-close.js'
import { readGolden } from '../support/golden.js'
import { goldenVit } from '../support/golden-vit.js'
import { hasSharedData, shared, withoutSharedData } from '../support/shared-data.js'

const scalar = (value: number) => generate([1], () => value)

/** log-softmax of a row, in plain numbers */
function logProbabilities(row: readonly number[]): number[] {
  const total = row.reduce((sum, x) => sum + Math.exp(x), 0)
  return row.map((x) => x - Math.log(total))
}

const rowsOf = (values: readonly number[], width: number) =>
  Array.from({ length: values.length / width }, (_, i) => values.slice(i * width, (i + 1) * width))
const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0)

describe('objectives are what their formulas say, under both lowerings', () => {
  test('cross-entropy with smoothed labels', async () => {
    const bench = new Bench(1)
    const logits = bench.input('logits', [['batch', 3], 4])
    const labels = bench.indices('labels', [['batch', 3]], { shape: [3], values: [2, 0, 3] })
    const perPicture = rowsOf(logits.numbers.values, 4).map((row, i) => {
      const target = (c: number) => 0.2 / 4 + (labels.numbers.values[i] === c ? 0.8 : 0)
      return -sum(logProbabilities(row).map((log, c) => target(c) * log))
    })
    const targets = smoothedTargets(labels.tensor, { classes: 4, smoothing: 0.2 })
    await bench.expectNumbers({
      loss: { tensor: crossEntropy(logits.tensor, targets), numbers: scalar(sum(perPicture) / 3) },
    })
  })

  test.each(['pictures', 'elements'] as const)(
    'KL divergence with temperature, averaged over %s',
    async (average) => {
      const bench = new Bench(2)
      const [student, teacher] = [bench.input('s', [['batch', 3], 4]), bench.input('t', [['batch', 3], 4])]
      const soft = (values: readonly number[]) =>
        rowsOf(
          values.map((x) => x / 3),
          4,
        ).flatMap(logProbabilities)
      const [s, t] = [soft(student.numbers.values), soft(teacher.numbers.values)]
      const total = sum(t.map((log, i) => Math.exp(log) * (log - (s[i] ?? 0))))
      const expected = (9 * total) / (average === 'pictures' ? 3 : 12)
      const loss = klDivergence(student.tensor, teacher.tensor, { temperature: 3, average })
      await bench.expectNumbers({ loss: { tensor: loss, numbers: scalar(expected) } })
    },
  )

  test('cosine distance, and of a token without direction', async () => {
    const bench = new Bench(3)
    const shape = [['batch', 2], 3, 4] as const
    const [a, b] = [bench.input('a', shape), bench.input('b', shape)]
    const [as, bs] = [rowsOf(a.numbers.values, 4), rowsOf(b.numbers.values, 4)]
    const dot = (x: readonly number[], y: readonly number[]) => sum(x.map((value, i) => value * (y[i] ?? 0)))
    const cosines = as.map(
      (x, i) => dot(x, bs[i] ?? []) / Math.sqrt(dot(x, x) * dot(bs[i] ?? [], bs[i] ?? [])),
    )
    await bench.expectNumbers({
      loss: { tensor: cosineDistance(a.tensor, b.tensor), numbers: scalar(1 - sum(cosines) / 6) },
      self: { tensor: cosineDistance(a.tensor, a.tensor), numbers: scalar(0) },
    })
  })

  test('a token of zeros has cosine 0 and gets no gradient, not NaN', () => {
    const [a, b] = [input('a', [1, 1, 3]), input('b', [1, 1, 3])]
    const loss = cosineDistance(a, b)
    const zero = { shape: [1, 1, 3], data: new Float64Array(3) }
    const values = evaluateTensors([loss, ...gradients(loss, [b])], { a: zero, b: zero })
    expect(values.map(({ data }) => [...data])).toEqual([[1], [0, 0, 0]])
  })

  test('squared errors', async () => {
    const bench = new Bench(4)
    const [x, t] = [bench.input('x', [['batch', 2], 5]), bench.input('t', [['batch', 2], 5])]
    const error = sum(x.numbers.values.map((value, i) => (value - (t.numbers.values[i] ?? 0)) ** 2))
    const norm = sum(t.numbers.values.map((value) => value ** 2))
    await bench.expectNumbers({
      mean: { tensor: meanSquaredError(x.tensor, t.tensor), numbers: scalar(error / 10) },
      normalised: { tensor: normalisedSquaredError(x.tensor, t.tensor), numbers: scalar(error / norm) },
      zeros: {
        tensor: normalisedSquaredError(scaleShift(t.tensor, { scale: 0 }), t.tensor),
        numbers: scalar(1),
      },
    })
  })
})

/** The tiny distilled DeiT of golden/vit. */
const deit: VitConfig = { ...goldenVit, distilled: true, ...usualSwitches({ distilled: true }) }

describe.skipIf(!hasSharedData)(`DeiT's own distillation losses${withoutSharedData}`, () => {
  test('of pictures through both heads: without a teacher, soft (α 0.1, τ 3) and hard (α 0.5)', async () => {
    const golden = await readGolden(shared('golden/vit/deit_distilled.safetensors'))
    const { class_logits: classLogits, distillation_logits: distillationLogits } = programOf(
      vit(deit),
      'heads',
    )
    if (!classLogits || !distillationLogits) throw new Error('two heads')
    const shape = [symbol('batch'), 10]
    const answers = {
      classLogits,
      distillationLogits,
      teacherLogits: input('teacher', shape),
      targets: input('targets', shape),
    }
    const graph = graphOf('losses', {
      cls: answers.classLogits,
      dist: answers.distillationLogits,
      none: crossEntropy(classLogits, answers.targets),
      soft: softDistillation(answers),
      hard: hardDistillation(answers),
    })
    await using session = await (await nativeRuntime()).load(graph, golden.weights('w/'))
    const feed = (name: string) => ({
      dtype: 'float32' as const,
      shape: golden.shape(name),
      values: golden.floats(name),
    })
    const results = await session.run({
      pixel_values: feed('in/x'),
      teacher: feed('in/teacher_logits'),
      targets: feed('in/soft_target'),
    })
    const numbers = (name: string) => Array.from(results[name]?.values ?? [], Number)
    // float32 through four layers, against PyTorch's
    expectClose(numbers('cls'), golden.floats('out/logits_cls'), { atol: 2e-4 })
    expectClose(numbers('dist'), golden.floats('out/logits_dist'), { atol: 2e-4 })
    for (const loss of ['none', 'soft', 'hard']) {
      expectClose(numbers(loss), golden.floats(`out/loss_${loss}`), { rtol: 1e-5 })
    }
  })
})

test('hard distillation takes the first of the teacher’s equal choices, and learns nothing from its logits', () => {
  const rows = (...data: number[]): Values => ({ shape: [2, 3], data: Float64Array.from(data) })
  const names = ['classLogits', 'distillationLogits', 'teacherLogits', 'targets'] as const
  const [classLogits, distillationLogits, teacherLogits, targets] = names.map((name) => input(name, [2, 3]))
  if (!classLogits || !distillationLogits || !teacherLogits || !targets) throw new Error('four inputs')
  const loss = hardDistillation({ classLogits, distillationLogits, teacherLogits, targets }, { alpha: 1 })
  const leaves = {
    classLogits: rows(1, 2, 3, 4, 5, 6),
    distillationLogits: rows(0.5, -1, 2, 1, 0, -2),
    teacherLogits: rows(1, 7, 7, 3, -1, 2),
    targets: rows(1, 0, 0, 0, 0, 1),
  }
  const [value, ofTeacher] = evaluateTensors([loss, ...gradients(loss, [teacherLogits])], leaves)
  const chosen = [logProbabilities([0.5, -1, 2])[1] ?? 0, logProbabilities([1, 0, -2])[0] ?? 0]
  expectClose(value?.data ?? [], [-sum(chosen) / 2], { rtol: 1e-12 })
  expect([...(ofTeacher?.data ?? [])]).toEqual([0, 0, 0, 0, 0, 0])
})
