import { type Dim, elements, type Shape, sameDim, times } from '../dim.js'
import type { Lowering, Value } from '../lowering.js'
import { defineOp, operand, shapeError } from '../op.js'
import { sizeAt, type Tensor } from '../tensor.js'
import {
  descendingByComparison,
  gatherByProduct,
  invertByComparison,
  scatterAddByProduct,
} from './order-in-floats.js'

const argsortOp = defineOp({
  name: 'Argsort',
  shape: (inputs) => {
    if (operand(inputs, 0).shape.length !== 2) throw shapeError('Argsort', inputs, '[batch, tokens]')
    return operand(inputs, 0).shape
  },
  dtype: () => 'int64',
  onnx: (lowering, inputs, { tensor }) => {
    if (lowering.target === 'webgpu') return descendingByComparison(lowering, operand(inputs, 0))
    const scores = lowering.full(operand(inputs, 0))
    const count = lowering.size(sizeAt(tensor, 1))
    // ONNX promises that of equal values the one with the lower index comes first.
    const [, indices = ''] = lowering.emitMany('TopK', [scores, count], 2, { axis: 1, largest: 1, sorted: 1 })
    return lowering.asFull(indices, tensor.shape)
  },
})

/**
 * The token indices from the highest score to the lowest; equal scores: lower index first.
 * @param scores `[batch, tokens]` @returns int64 `[batch, tokens]`
 */
export function argsort(scores: Tensor): Tensor {
  return argsortOp([scores], {})
}

const inverseOrderOp = defineOp({
  name: 'InverseOrder',
  shape: (inputs) => {
    const { shape, dtype } = operand(inputs, 0)
    if (shape.length !== 2 || dtype !== 'int64')
      throw shapeError('InverseOrder', inputs, 'int64 [batch, tokens]')
    return shape
  },
  dtype: () => 'int64',
  // Sorting a permutation ascending tells where each element stood. ScatterElements would do too, but is slow.
  onnx: (lowering, inputs, { tensor }) => {
    if (lowering.target === 'webgpu') return invertByComparison(lowering, operand(inputs, 0))
    const order = lowering.full(operand(inputs, 0))
    const count = lowering.size(sizeAt(tensor, 1))
    const [, indices = ''] = lowering.emitMany('TopK', [order, count], 2, { axis: 1, largest: 0, sorted: 1 })
    return lowering.asFull(indices, tensor.shape)
  },
})

/** The inverse of a permutation. @param order int64 `[batch, tokens]` */
export function inverseOrder(order: Tensor): Tensor {
  return inverseOrderOp([order], {})
}

const sortOp = defineOp({
  name: 'Sort',
  shape: (inputs) => {
    const { shape, dtype } = operand(inputs, 0)
    if (shape.length !== 2 || dtype !== 'int64') throw shapeError('Sort', inputs, 'int64 [batch, picked]')
    return shape
  },
  dtype: () => 'int64',
  onnx: (lowering, inputs, { tensor }) => {
    const x = operand(inputs, 0)
    if (lowering.target === 'webgpu') {
      const negative = lowering.asFull(lowering.emit('Neg', [lowering.full(x)]), x.shape)
      return gatherByProduct(lowering, x, descendingByComparison(lowering, negative))
    }
    const operands = [lowering.full(x), lowering.size(sizeAt(tensor, 1))]
    const [sorted = ''] = lowering.emitMany('TopK', operands, 2, { axis: 1, largest: 0, sorted: 1 })
    return lowering.asFull(sorted, tensor.shape)
  },
})

/** Indices from the lowest to the highest, e.g. picked tokens in the order of the picture. @param x int64 `[batch, picked]` */
export function sort(x: Tensor): Tensor {
  return sortOp([x], {})
}

const gatherOp = defineOp({
  name: 'Gather',
  shape: (inputs) => {
    const [x, indices] = [operand(inputs, 0), operand(inputs, 1)]
    const fits = x.shape.length >= 2 && indices.shape.length === 2 && indices.dtype === 'int64'
    if (!fits || !sameDim(sizeAt(x, 0), sizeAt(indices, 0))) {
      throw shapeError('Gather', inputs, 'x [batch, tokens, ...] and int64 indices [batch, picked]')
    }
    return [...indices.shape, ...x.shape.slice(2)]
  },
  gradient: (gradient, inputs) => {
    const [x, indices] = [operand(inputs, 0), operand(inputs, 1)]
    return [scatterAdd(gradient, indices, { tokens: sizeAt(x, 1) }), undefined]
  },
  onnx: (lowering, inputs, { tensor }) => {
    const [x, indices] = [operand(inputs, 0), operand(inputs, 1)]
    if (lowering.target === 'webgpu') return gatherByProduct(lowering, x, indices)
    if (x.shape.length === 2) {
      const operands = [lowering.full(x), lowering.full(indices)]
      return lowering.asFull(lowering.emit('GatherElements', operands, { axis: 1 }), tensor.shape)
    }
    // GatherND with batch_dims copies whole token rows; GatherElements would address every channel.
    const positions = lowering.reshape(lowering.full(indices), [...indices.shape, 1])
    const picked = lowering.emit('GatherND', [lowering.full(x), positions], { batch_dims: 1 })
    return lowering.asFull(picked, tensor.shape)
  },
})

/**
 * Picks tokens of each picture.
 * @param x `[batch, tokens]` or `[batch, tokens, width]` @param indices int64 `[batch, picked]`
 */
export function gather(x: Tensor, indices: Tensor): Tensor {
  return gatherOp([x, indices], {})
}

/**
 * Adds tokens to others. Where a token is a row of numbers, token i of picture b is row b·tokens + i of the flat form, so that
 * one index addresses all of it.
 * @param to `[batch, tokens, ...]`, or flat
 */
function addedAt(
  lowering: Lowering,
  to: string,
  { x, indices, tokens }: { readonly x: Value; readonly indices: Value; readonly tokens: Dim },
): string {
  const [batch = 1, , ...perToken] = x.shape
  if (perToken.length === 0) {
    const operands = [to, lowering.full(indices), lowering.full(x)]
    return lowering.emit('ScatterElements', operands, { axis: 1, reduction: 'add' })
  }
  const scalar = (size: Dim) => lowering.reshape(lowering.size(size), [])
  const firstRows = lowering.emit('Range', [scalar(0), scalar(times(batch, tokens)), scalar(tokens)])
  const places = lowering.emit('Add', [lowering.full(indices), lowering.reshape(firstRows, [batch, 1])])
  const added = lowering.emit(
    'ScatterND',
    [
      to,
      lowering.reshape(places, [elements(indices.shape), 1]),
      lowering.reshape(lowering.full(x), [elements(indices.shape), ...perToken]),
    ],
    { reduction: 'add' },
  )
  return lowering.reshape(added, x.shape.with(1, tokens))
}

/** What {@link addedAt} adds to: tokens of one number each as they are, others flat. */
function formToAddTo([batch = 1, tokens = 1, ...perToken]: Shape): Shape {
  return perToken.length === 0 ? [batch, tokens] : [times(batch, tokens), ...perToken]
}

const scatterAddOp = defineOp<{ tokens: Dim }>({
  name: 'ScatterAdd',
  shape: (inputs, { tokens }) => {
    const [x, indices] = [operand(inputs, 0), operand(inputs, 1)]
    const fits = x.shape.length >= 2 && indices.shape.length === 2 && indices.dtype === 'int64'
    if (!fits || ![0, 1].every((axis) => sameDim(sizeAt(x, axis), sizeAt(indices, axis)))) {
      throw shapeError('ScatterAdd', inputs, 'x [batch, picked, ...] and int64 indices [batch, picked]')
    }
    return x.shape.with(1, tokens)
  },
  gradient: (gradient, inputs) => [gather(gradient, operand(inputs, 1)), undefined],
  onnx: (lowering, inputs, { tensor, attributes: { tokens } }) => {
    const [x, indices] = [operand(inputs, 0), operand(inputs, 1)]
    if (lowering.target === 'webgpu') return scatterAddByProduct(lowering, x, indices, tokens)
    const nothing = lowering.emit('Expand', [lowering.floats([0]), lowering.shape(formToAddTo(tensor.shape))])
    return lowering.asFull(addedAt(lowering, nothing, { x, indices, tokens }), tensor.shape)
  },
})

const addAtOp = defineOp({
  name: 'AddAt',
  shape: (inputs) => {
    const [to, x, indices] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)]
    const fits = x.shape.length >= 2 && indices.shape.length === 2 && indices.dtype === 'int64'
    const alike = to.shape.length === x.shape.length && sameDim(sizeAt(to, 0), sizeAt(x, 0))
    const rows = [...x.shape.slice(2)].every((dim, i) => sameDim(dim, to.shape[i + 2] ?? -1))
    if (!(fits && alike && rows && [0, 1].every((axis) => sameDim(sizeAt(x, axis), sizeAt(indices, axis))))) {
      const wanted = 'tokens [batch, tokens, ...], x [batch, picked, ...] and int64 indices [batch, picked]'
      throw shapeError('AddAt', inputs, wanted)
    }
    return to.shape
  },
  gradient: (gradient, inputs) => [gradient, gather(gradient, operand(inputs, 2)), undefined],
  onnx: (lowering, inputs, { tensor }) => {
    const [to, x, indices] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)]
    const tokens = sizeAt(tensor, 1)
    if (lowering.target === 'webgpu') {
      const added = lowering.full(scatterAddByProduct(lowering, x, indices, tokens))
      return lowering.asFull(lowering.emit('Add', [lowering.full(to), added]), tensor.shape)
    }
    const form = formToAddTo(tensor.shape)
    const full = lowering.full(to)
    const whole = form.length === tensor.shape.length ? full : lowering.reshape(full, form)
    return lowering.asFull(addedAt(lowering, whole, { x, indices, tokens }), tensor.shape)
  },
})

/**
 * Adds tokens to others, several to the same one too.
 * @param to `[batch, tokens]` or `[batch, tokens, width]` @param x `[batch, picked]` or `[batch, picked, width]`
 * @param indices which of the tokens each is added to. int64 `[batch, picked]`
 */
export function addAt(to: Tensor, x: Tensor, indices: Tensor): Tensor {
  return addAtOp([to, x, indices], {})
}

/**
 * Puts tokens back where {@link gather} took them from: each is added at its index, the rest is 0.
 * @param x `[batch, picked]` or `[batch, picked, width]` @param indices int64 `[batch, picked]`
 * @returns `[batch, tokens]` or `[batch, tokens, width]`
 */
export function scatterAdd(x: Tensor, indices: Tensor, { tokens }: { tokens: Dim }): Tensor {
  return scatterAddOp([x, indices], { tokens })
}
