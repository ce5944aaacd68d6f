import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as ops from '../../src/graph/ops/index.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { evaluateTensors, type Values } from '../support/evaluate.js'
import { type Bench, type Known, onBenches, sizes } from './bench.js'
import { generate, type Numbers } from './reference.js'

const targets = ['native', 'standard', 'webgpu'] as const

const valuesOf = ({ shape, values }: Numbers): Values => ({ shape, data: Float64Array.from(values) })

/** The numbers that the float64 interpreter gives for tensors made of these inputs, on every bench. */
async function expectAsInterpreted(
  bench: Bench,
  inputs: readonly Known[],
  outputs: Readonly<Record<string, Tensor>>,
  sizesNow: Readonly<Record<string, number>>,
): Promise<void> {
  const leaves = Object.fromEntries(
    inputs.map(({ tensor, numbers }) => [tensor.leaf?.name ?? '', valuesOf(numbers)]),
  )
  const results = evaluateTensors(Object.values(outputs), leaves, sizesNow)
  const known = Object.entries(outputs).map(([name, tensor], i) => {
    const { shape = [], data = [] } = results[i] ?? {}
    return [name, { tensor, numbers: { shape, values: Array.from(data) } }] as const
  })
  await bench.expectNumbers(Object.fromEntries(known), { rtol: 1e-5, atol: 1e-5 }, targets)
}

/** Numbers of few distinct values, so that many are equal. */
const few = (shape: readonly number[], seed: number): Numbers =>
  generate(shape, (index) => (index.reduce((sum, i, axis) => sum + (axis + 2) * i * i, seed) % 3) - 1)

describe('every lowering agrees with the float64 interpreter', () => {
  test('the largest of each row, and of equal ones the first; rows of minus infinity too', () =>
    onBenches(fc.tuple(fc.record(sizes), fc.nat(99)), async (bench, [{ batch, tokens, width }, seed]) => {
      const scores = few([batch, tokens, width], seed)
      const blocked = generate(scores.shape, (i) =>
        i[1] === 0
          ? Number.NEGATIVE_INFINITY
          : (scores.values[i.reduce((at, x, a) => at * (scores.shape[a] ?? 1) + x, 0)] ?? 0),
      )
      const x = bench.input('x', [['batch', batch], ['tokens', tokens], width], scores)
      const y = bench.input('y', [['batch', batch], ['tokens', tokens], width], blocked)
      const outputs = {
        argmax: ops.argmax(x.tensor),
        argmaxOfBlocked: ops.argmax(y.tensor),
        largest: ops.reduceMax(x.tensor),
        oneHot: ops.oneHot(ops.argmax(x.tensor), { classes: width }),
      }
      await expectAsInterpreted(bench, [x, y], outputs, { batch, tokens })
    }))

  test('comparisons and picks broadcast, of indices as of floats', () =>
    onBenches(fc.tuple(fc.record(sizes), fc.nat(99)), async (bench, [{ batch, tokens, width }, seed]) => {
      const x = bench.input(
        'x',
        [['batch', batch], ['tokens', tokens], width],
        few([batch, tokens, width], seed),
      )
      const row = bench.input('row', [['tokens', tokens], 1], few([tokens, 1], seed + 1))
      const rows = bench.asRows(x)
      const [a, b] = [ops.argmax(x.tensor), ops.argmax(ops.multiply(x.tensor, row.tensor))]
      const outputs = {
        greater: ops.greater(x.tensor, row.tensor),
        greaterOfRows: ops.greater(rows.tensor, 0),
        less: ops.less(row.tensor, x.tensor),
        lessThanNumber: ops.less(x.tensor, 0),
        equal: ops.equal(x.tensor, row.tensor),
        sameIndex: ops.equal(a, b),
        lowerIndex: ops.less(a, b),
        pick: ops.where(ops.equal(x.tensor, row.tensor), rows.tensor, row.tensor),
        pickIndex: ops.where(ops.less(a, b), a, b),
        masked: ops.where(ops.greater(rows.tensor, row.tensor), Number.NEGATIVE_INFINITY, 1),
      }
      const identity = [x, row, ...['identity', 'none'].map((name) => constantLeaf(bench, `${name}${width}`))]
      await expectAsInterpreted(bench, identity, outputs, { batch, tokens })
    }))

  test('some of a sorted row, back in the order of the picture', () =>
    onBenches(fc.record(sizes), async (bench, { batch, tokens }) => {
      const scores = bench.input('scores', [['batch', batch], tokens])
      const some = ops.slice(ops.argsort(scores.tensor), { axis: 1, start: Math.floor(tokens / 2) })
      await expectAsInterpreted(bench, [scores], { some, sorted: ops.sort(some) }, { batch })
    }))

  test('constants of several numbers, also as indices', () =>
    onBenches(fc.record(sizes), async (bench, { batch, width }) => {
      const x = bench.input('x', [['batch', batch], 5, width])
      const even = ops.expand(ops.table([0, 2, 4], [1, 3], { dtype: 'int64' }), [x.tensor.shape[0] ?? 1, 3])
      const large = Array.from({ length: 5 * 7 }, (_, i) => i / 8)
      const outputs = {
        even: ops.gather(x.tensor, even),
        sliced: ops.slice(x.tensor, { axis: 1, step: 2 }),
        large: ops.add(ops.table(large, [5, 7]), ops.constant(1, [1, 7])),
      }
      await expectAsInterpreted(bench, [x], outputs, { batch })
    }))
})

/** What `Bench.asRows` multiplies with. */
function constantLeaf(bench: Bench, name: string): Known {
  const stored = bench.weights.get(name)
  const shape = stored?.shape ?? []
  const numbers = generate(shape, ([i, j]) => (shape.length === 2 && i === j ? 1 : 0))
  return { tensor: ops.parameter(name, shape, { kind: 'constant', value: 0 }), numbers }
}

test('every second of a size that only the run knows has no size', () => {
  const x = ops.input('x', [2, ops.sizeInput('kept').size])
  expect(() => ops.slice(x, { axis: 1, step: 2 })).toThrow('a known number of elements for a whole step')
})
