import { describe, expect, test } from 'vitest'
import type { BlvitError } from '../../src/base/blvit-error.js'
import { symbol } from '../../src/graph/dim.js'
import { gradients } from '../../src/graph/gradients.js'
import { graphOf, reachable } from '../../src/graph/graph.js'
import { ones, zeros } from '../../src/graph/initialiser.js'
import { defineOp, operand } from '../../src/graph/op.js'
import {
  add,
  buffer,
  input,
  linear,
  mean,
  multiply,
  parameter,
  reduceSum,
  reshape,
  slice,
  stopGradient,
  subtract,
} from '../../src/graph/ops/index.js'
import { printGraph } from '../../src/graph/print.js'
import { scope } from '../../src/graph/scope.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { packedLinear } from '../../src/nn/linear.js'
import { evaluateTensors } from '../support/evaluate.js'

const thrown = (run: () => unknown): Partial<BlvitError> => {
  try {
    run()
  } catch (error) {
    return error as BlvitError
  }
  return {}
}

const doubleWithoutRule = defineOp({
  name: 'DoubleWithoutRule',
  shape: (inputs) => operand(inputs, 0).shape,
  onnx: (lowering, inputs, { tensor }) =>
    lowering.elementwise('Add', [operand(inputs, 0), operand(inputs, 0)], tensor.shape),
})

test('a buffer has no gradient, and nothing on the way to a parameter is lost by it', () => {
  const [weight, mean] = [parameter('w', [3], ones), buffer('mean', [3], zeros)]
  const loss = reshape(reduceSum(multiply(subtract(weight, mean), mean)), [1])
  const [ofWeight] = gradients(loss, [weight])
  const leaves = {
    w: { shape: [3], data: Float64Array.of(1, 1, 1) },
    mean: { shape: [3], data: Float64Array.of(1, 2, 3) },
  }
  expect(Array.from(evaluateTensors(ofWeight ? [ofWeight] : [], leaves)[0]?.data ?? [])).toEqual([1, 2, 3])
  expect(() => gradients(loss, [mean])).toThrow('mean never learns and has no gradient')
})

const x = input('x', [symbol('batch'), 3])
const one = (value: number) => ({ shape: [1], data: Float64Array.of(value) })

describe('gradients', () => {
  test('a loss that is not one number is refused with its place and shape', () => {
    const error = thrown(() =>
      gradients(
        scope('head', () => multiply(x, x)),
        [x],
      ),
    )
    expect(error.code).toBe('SHAPE_MISMATCH')
    expect(error.message).toMatchInlineSnapshot(
      `"A loss must be a single float32 number, but this one (Multiply in head) is float32 [batch, 3]. Take its mean."`,
    )
  })

  test('an op without a rule is named with its place', () => {
    const loss = scope('blocks.3', () => mean(doubleWithoutRule([parameter('w', [2], ones)], {})))
    const parameters = reachable([loss]).filter(({ leaf }) => leaf)
    const error = thrown(() => gradients(loss, parameters))
    expect(error.code).toBe('UNSUPPORTED')
    expect(error.fields).toEqual({ op: 'DoubleWithoutRule', scope: 'blocks.3' })
    expect(error.message).toContain('the op DoubleWithoutRule in blocks.3')
  })

  test('an op without a rule beside the way does no harm', () => {
    const w = parameter('w', [3], ones)
    const loss = mean(multiply(doubleWithoutRule([x], {}), w))
    expect(gradients(loss, [w])).toHaveLength(1)
  })

  test('only what leads from a target to the loss is differentiated', () => {
    const [w, v] = [parameter('w', [3], ones), parameter('v', [3], ones)]
    const beside = multiply(x, v)
    const [ofW] = gradients(mean(add(multiply(x, w), beside)), [w])
    expect(reachable([ofW as Tensor])).not.toContain(beside)
  })

  test('stopGradient cuts the way, and a target that the loss does not see gets zeros', () => {
    const [w, v] = [parameter('w', [1], ones), parameter('v', [1], ones)]
    const found = gradients(mean(multiply(stopGradient(w), multiply(w, w))), [w, v])
    const values = evaluateTensors(found, { w: one(3), v: one(5) })
    // d/dw c·w² = 2·c·w with c = w = 3
    expect(values.map(({ data }) => data[0])).toEqual([18, 0])
  })

  test('a tensor with several users gets the sum; a parameter made twice under one name is one', () => {
    const [w, again] = [parameter('w', [1], ones), parameter('w', [1], ones)]
    const found = gradients(mean(add(multiply(w, w), multiply(again, w))), [w])
    expect(evaluateTensors(found, { w: one(3) })[0]?.data[0]).toBe(12)
  })

  test('gradients with respect to a tensor inside the graph', () => {
    const w = parameter('w', [1], ones)
    const inside = multiply(w, w)
    const found = gradients(mean(multiply(inside, inside)), [inside])
    expect(evaluateTensors(found, { w: one(3) })[0]?.data[0]).toBe(18)
  })

  test('the gradient of a packed parameter is the concatenation of its parts’ gradients', () => {
    const loss = scope('attn', () => {
      const { q, k, v } = packedLinear('qkv', { q: x, k: x, v: x }, { width: 3, out: 2 })
      return mean(multiply(q, multiply(k, v)))
    })
    const weight = reachable([loss]).find(({ leaf }) => leaf?.name === 'attn.qkv.weight') as Tensor
    const [found] = gradients(loss, [weight])
    expect(found?.op).toBe('Concat')
    expect(found?.inputs.map(({ op }) => op)).toEqual(['MatMul', 'MatMul', 'MatMul'])
  })

  test('slices at run-time positions concatenate too', () => {
    const rows = parameter('rows', [9, 2], zeros)
    const kept = symbol('kept')
    const parts = [slice(rows, { axis: 0, start: kept }), slice(rows, { axis: 0, end: kept })]
    const [found] = gradients(parts.map((part) => mean(multiply(part, part))).reduce(add), [rows])
    expect(found?.op).toBe('Concat')
    expect(found?.inputs.map(({ shape }) => shape.map(String))).toEqual([
      ['kept', '2'],
      ['-kept+9', '2'],
    ])
  })

  test('the printed gradient says what it differentiates, and costs what the forward pass costs', () => {
    const loss = mean(
      scope('head', () => linear(x, parameter('weight', [2, 3], ones), parameter('bias', [2], zeros))),
    )
    const [weight] = reachable([loss]).filter(({ leaf }) => leaf?.name === 'head.weight')
    const graph = graphOf('step', { weight: gradients(loss, [weight as Tensor])[0] as Tensor })
    expect(printGraph(graph)).toMatchInlineSnapshot(`
      "step(x)
      gradient
        %0 = Constant() value=1                                                [1]
        %1 = DivideBySize(%0) size=2·batch                                     [1]
        %2 = Reshape(%1)                                                       [1, 1]
        %3 = Expand(%2)                                                        [batch, 2]
      gradient/head
        %4 = MatMul(%3, x) transposeA=true transposeB=false                    [2, 3]  → weight"
    `)
    const macs = graph.nodes
      .filter(({ scope }) => scope === 'gradient/head')
      .map((node) => node.cost().linear)
    // of the weight alone: as many as the forward pass
    expect(macs.map(String).filter((cost) => cost !== '0')).toEqual(['6·batch'])
  })
})
