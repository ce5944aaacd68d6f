import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { minus, symbol } from '../../src/graph/dim.js'
import { graphOf } from '../../src/graph/graph.js'
import { zeros } from '../../src/graph/initialiser.js'
import { toOnnx } from '../../src/graph/onnx/write.js'
import * as ops from '../../src/graph/ops/index.js'
import { scope } from '../../src/graph/scope.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { pythonWith } from '../support/python.js'

const python = pythonWith('onnx')
const reason = python ? '' : ' (skipped: no Python here has the module onnx)'

const batch = symbol('batch')
const kept = ops.sizeInput('kept')
const tokens = ops.input('tokens', [batch, 9, 4])
const scores = ops.input('scores', [batch, 9])
const picture = ops.input('picture', [batch, 3, 8, 8])
const p = (name: string, ...shape: number[]) => ops.parameter(name, shape, zeros)

/** One graph for each op of the index; a new op without a graph here fails the first test. */
const graphs: Readonly<Record<keyof typeof ops, () => Tensor>> = {
  add: () => ops.add(tokens, p('bias', 4)),
  scaleShift: () => ops.scaleShift(tokens, { scale: 2, shift: 1 }),
  maximum: () => ops.maximum(tokens, 1),
  attention: () =>
    ops.attention(ops.slice(tokens, { axis: 1, end: kept.size }), tokens, tokens, { heads: 2 }),
  attentionMap: () => ops.attentionMap(tokens, tokens, { heads: 2, bias: p('bias', 2, 9, 9) }),
  queryAttention: () => ops.queryAttention(ops.slice(tokens, { axis: 1, end: 1 }), tokens, { heads: 2 }),
  buffer: () => ops.multiply(tokens, ops.buffer('scale', [], zeros)),
  concat: () => ops.concat([tokens, tokens], { axis: 1 }),
  compact: () =>
    ops.linear(
      ops.compact(p('rows', 9, 4), ops.reshape(ops.input('mask', [1, 9]), [9]), { size: 'kept' }),
      p('weight', 5, 4),
      p('bias', 5),
    ),
  constant: () => ops.add(tokens, ops.constant(2, [batch, 1, 4])),
  convolution: () => ops.convolution(picture, p('weight', 4, 3, 2, 2), p('bias', 4), { stride: 2 }),
  addAt: () => ops.addAt(tokens, ops.gather(tokens, ops.argsort(scores)), ops.argsort(scores)),
  argmax: () => ops.argmax(tokens),
  argsort: () => ops.argsort(scores),
  cosine: () => ops.cosine(tokens),
  counted: () => ops.counted(tokens, { thopExcess: 3 }),
  cumulativeSum: () => ops.cumulativeSum(tokens),
  divide: () => ops.divide(tokens, tokens),
  divideBySize: () => ops.divideBySize(tokens, batch),
  equal: () => ops.equal(ops.argsort(scores), ops.argmax(ops.reshape(scores, [batch, 1, 9]))),
  expand: () => ops.concat([ops.expand(p('token', 1, 1, 4), [batch, kept.size, 4]), tokens], { axis: 1 }),
  exponential: () => ops.exponential(tokens),
  exponentialMinusOne: () => ops.exponentialMinusOne(tokens),
  fixedParameter: () => ops.multiply(tokens, ops.fixedParameter('scale', [], zeros)),
  gather: () => ops.gather(tokens, ops.slice(ops.argsort(scores), { axis: 1, end: kept.size })),
  gelu: () => ops.gelu(tokens),
  input: () => ops.input('x', [batch, 2]),
  inverseOrder: () => ops.inverseOrder(ops.argsort(scores)),
  greater: () => ops.greater(tokens, 0),
  less: () => ops.less(tokens, tokens),
  layerNorm: () => ops.layerNorm(tokens, p('weight', 4), p('bias', 4), { epsilon: 1e-6 }),
  linear: () => ops.linear(tokens, p('weight', 5, 4), p('bias', 5)),
  logSoftmax: () => ops.logSoftmax(tokens),
  logarithm: () => ops.logarithm(tokens),
  mapToTokens: () => ops.mapToTokens(picture),
  matmul: () => ops.matmul(tokens, tokens, { transposeB: true }),
  mean: () => ops.mean(tokens),
  noiseInput: () => ops.noiseInput('noise', [batch, 2]),
  multiply: () => ops.multiply(tokens, tokens),
  oneHot: () => ops.oneHot(ops.argsort(scores), { classes: 9 }),
  pad: () => ops.pad(tokens, { axis: -1, after: 2 }),
  padStart: () => ops.padStart(tokens, { count: 1 }),
  parameter: () => p('weight', 2, 3),
  reduceMax: () => ops.reduceMax(tokens),
  pick: () => ops.pick(tokens, [8, 0, 0], { axis: 1 }),
  relu: () => ops.relu(tokens),
  reduceSum: () => ops.reduceSum(tokens, { axes: [1] }),
  restorePicture: () =>
    ops.restorePicture(ops.input('masks', [1, 4, 8, 8]), ops.input('size', [2]), { side: 32 }),
  reshape: () =>
    ops.reshape(ops.slice(tokens, { axis: 1, start: kept.size }), [batch, 4, minus(9, kept.size)]),
  resizeBicubic: () => ops.resizeBicubic(picture, { height: 5, width: 9 }),
  resizeBilinear: () => ops.resizeBilinear(picture, { height: 5, width: 9 }),
  scatterAdd: () => ops.scatterAdd(tokens, ops.argsort(scores), { tokens: 9 }),
  sigmoid: () => ops.sigmoid(tokens),
  silu: () => ops.silu(tokens),
  sine: () => ops.sine(tokens),
  sizeInput: () => kept.tensor,
  sort: () => ops.sort(ops.argsort(scores)),
  slice: () => ops.slice(tokens, { axis: 1, start: kept.size }),
  softmax: () => ops.softmax(tokens),
  squareRoot: () => ops.squareRoot(tokens),
  stopGradient: () => ops.stopGradient(tokens),
  subtract: () => ops.subtract(tokens, tokens),
  table: () => ops.gather(scores, ops.expand(ops.table([3, 4], [1, 2], { dtype: 'int64' }), [batch, 2])),
  where: () => ops.where(ops.greater(tokens, 0), tokens, Number.NEGATIVE_INFINITY),
  transpose: () => ops.transpose(tokens, [2, 0, 1]),
  unfold: () => ops.unfold(picture, { kernel: 3, stride: 2, padding: 1 }),
}

/** Reads models as `[length][bytes]…` and names the first that is no valid ONNX, shapes included. */
const checker = `
import sys, onnx
data = sys.stdin.buffer.read()
at = 0
while at < len(data):
    size = int.from_bytes(data[at:at + 4], 'little')
    model = onnx.load_model_from_string(data[at + 4:at + 4 + size])
    try:
        onnx.checker.check_model(model, full_check=True)
    except Exception as error:
        print(model.graph.name, error)
    at += 4 + size
`

describe.skipIf(!python)(`Debian's ONNX checker${reason}`, () => {
  test.each(['fp32', 'fp16'] as const)('accepts every op in its standard form, %s', (precision) => {
    const models = Object.entries(graphs).map(([name, build]) => {
      const graph = graphOf(name, { result: scope('layer', build) }, { sizes: [kept.tensor] })
      const storageOf = (parameter: string) => {
        const shape = graph.parameters.find((found) => found.name === parameter)?.shape ?? []
        const sizeBytes = 4 * shape.reduce((a, b) => a * b, 1)
        return { dtype: 'F32' as const, ranges: [{ sizeBytes, bytes: new Uint8Array(sizeBytes) }] }
      }
      return toOnnx(graph, { target: 'standard', precision, storageOf })
    })
    const frames = models.flatMap((model) => [new Uint8Array(Uint32Array.of(model.length).buffer), model])
    const { stdout, stderr, status } = spawnSync(python ?? '', ['-c', checker], {
      input: Buffer.concat(frames),
      encoding: 'utf8',
    })
    expect(stdout).toBe('')
    expect(stderr).toBe('')
    expect(status).toBe(0)
  })
})
