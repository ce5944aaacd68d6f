import { type Dim, elements, formatShape, type Shape, sameDim, sameShape } from '../dim.js'
import type { Lowering, Value } from '../lowering.js'
import { defineOp, operand, shapeError } from '../op.js'
import { axisOf, type Tensor } from '../tensor.js'
import { reshape } from './layout.js'

const expandOp = defineOp<{ shape: Shape }>({
  name: 'Expand',
  shape: (inputs, { shape }) => {
    const from = operand(inputs, 0).shape
    const fits =
      from.length === shape.length && from.every((dim, i) => dim === 1 || sameDim(dim, shape[i] ?? -1))
    if (!fits) throw shapeError('Expand', inputs, `a shape that can be repeated to ${formatShape(shape)}`)
    return shape
  },
  gradient: (gradient, inputs) => [sumTo(gradient, operand(inputs, 0).shape)],
  onnx: (lowering, inputs, { tensor }) => {
    const x = operand(inputs, 0)
    if (lowering.target === 'webgpu' && isPerBatch(x.shape, tensor.shape)) {
      return lowering.asFull(expandBatch(lowering, x, tensor.shape), tensor.shape)
    }
    const operands = [lowering.full(x), lowering.shape(tensor.shape)]
    return lowering.asFull(lowering.emit('Expand', operands), tensor.shape)
  },
})

/** True where one thing is repeated for each picture of a batch whose size is known only when the graph runs. */
function isPerBatch(from: Shape, [batch, ...rest]: Shape): boolean {
  return from[0] === 1 && batch !== undefined && typeof batch !== 'number' && sameShape(from.slice(1), rest)
}

/**
 * Repeats along a last axis, for which the batch alone is the shape, then turns that axis to the front. The
 * usual form puts a shape together when the graph runs, which ONNX Runtime's WebGPU provider leaves to the
 * processor.
 */
function expandBatch(lowering: Lowering, x: Value, shape: Shape): string {
  const [batch = 1, ...rest] = shape
  const column = lowering.reshape(lowering.full(x), [elements(rest), 1])
  const repeated = lowering.emit('Expand', [column, lowering.size(batch)])
  return lowering.reshape(lowering.emit('Transpose', [repeated], { perm: [1, 0] }), shape)
}

/** Repeats axes of size 1, e.g. the class token for every picture of a batch. */
export function expand(x: Tensor, shape: Shape): Tensor {
  return expandOp([x], { shape })
}

/** Ones as a constant, or made when the graph runs where a size is known only then. */
function ones(lowering: Lowering, shape: readonly [Dim, Dim]): string {
  return lowering.emit('Expand', [lowering.floats([1], [1, 1]), lowering.shape(shape)])
}

/**
 * Sums over the last axis, or over axes that stand side by side before others, as a product with ones: faster than ReduceSum
 * on a CPU, but for many small sums.
 */
function sumByProduct(
  lowering: Lowering,
  x: Value,
  { axes, shape }: { readonly axes: readonly number[]; readonly shape: Shape },
): Value | undefined {
  const rank = x.shape.length
  const [first = 0] = axes
  if (rank < 2) return undefined
  if (axes.length === 1 && first === rank - 1) {
    const product = lowering.emit('MatMul', [lowering.rows(x), ones(lowering, [x.shape[first] ?? 1, 1])])
    return lowering.asRows(product, shape)
  }
  const after = x.shape.slice(first + axes.length)
  const isRun = axes.every((axis, i) => axis === first + i)
  if (!isRun || after.length !== 1 || first > 1) return undefined
  const count = elements(x.shape.slice(first, first + axes.length))
  if (first === 0) {
    return lowering.asRows(lowering.emit('MatMul', [ones(lowering, [1, count]), lowering.rows(x)]), shape)
  }
  const flat =
    rank === 3 ? lowering.full(x) : lowering.reshape(lowering.full(x), [x.shape[0] ?? 1, count, ...after])
  const product = lowering.emit('MatMul', [ones(lowering, [1, count]), flat])
  return lowering.asFull(rank === 3 ? product : lowering.reshape(product, shape), shape)
}

const reduceSumOp = defineOp<{ axes: readonly number[] }>({
  name: 'ReduceSum',
  shape: (inputs, { axes }) => operand(inputs, 0).shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim)),
  gradient: (gradient, inputs) => [expand(gradient, operand(inputs, 0).shape)],
  onnx: (lowering, inputs, { tensor, attributes: { axes } }) => {
    const x = operand(inputs, 0)
    const { shape } = tensor
    const reduced = () => lowering.reduce('ReduceSum', lowering.full(x), { axes, keepAxes: true })
    return sumByProduct(lowering, x, { axes, shape }) ?? lowering.asFull(reduced(), shape)
  },
})

/** The sum along some axes, default all; they stay as axes of size 1. Negative axes count from the last. */
export function reduceSum(
  x: Tensor,
  { axes = x.shape.map((_, axis) => axis) }: { axes?: readonly number[] } = {},
) {
  const sorted = [...new Set(axes.map((axis) => axisOf(x, axis)))].sort((a, b) => a - b)
  return sorted.length === 0 ? x : reduceSumOp([x], { axes: sorted })
}

/** Undoes broadcasting: sums a gradient over what an operand of this shape was repeated along. */
export function sumTo(gradient: Tensor, shape: Shape): Tensor {
  const added = gradient.shape.length - shape.length
  const axes = gradient.shape.flatMap((dim, axis) => {
    const own = axis < added ? 1 : (shape[axis - added] ?? 1)
    return sameDim(own, dim) ? [] : [axis]
  })
  const summed = reduceSum(gradient, { axes })
  return sameShape(summed.shape, shape) ? summed : reshape(summed, shape)
}
