import { defineOp, operand, shapeError } from '../op.js'
import { sizeAt, type Tensor } from '../tensor.js'
import { greater } from './bounds.js'
import { expand, reduceSum } from './broadcasting.js'
import { divide, multiply, scaleShift, subtract } from './elementwise.js'
import { firstByComparison } from './order-in-floats.js'

const reduceMaxOp = defineOp({
  name: 'ReduceMax',
  shape: (inputs) => {
    const { shape } = operand(inputs, 0)
    if (shape.length === 0) throw shapeError('ReduceMax', inputs, 'a last axis')
    return shape.with(-1, 1)
  },
  // To the largest; equals share it, as in JAX.
  gradient: (gradient, inputs, { output }) => {
    const x = operand(inputs, 0)
    const below = greater(subtract(output, x), 0)
    const isLargest = scaleShift(below, { scale: -1, shift: 1 })
    const share = divide(isLargest, reduceSum(isLargest, { axes: [-1] }))
    return [multiply(expand(gradient, x.shape), share)]
  },
  onnx: (lowering, inputs, { tensor }) => {
    const x = lowering.full(operand(inputs, 0))
    // ReduceMax takes its axes as an attribute up to opset 17 and as an input from 18 on.
    const largest =
      lowering.target === 'native'
        ? lowering.emit('ReduceMax', [x, lowering.integers([-1])], { keepdims: 1 })
        : lowering.emit('ReduceMax', [x], { axes: [-1], keepdims: 1 })
    return lowering.asFull(largest, tensor.shape)
  },
})

/** The largest along the last axis, which stays with size 1. */
export function reduceMax(x: Tensor): Tensor {
  return reduceMaxOp([x], {})
}

const argmaxOp = defineOp({
  name: 'Argmax',
  shape: (inputs) => {
    const { shape } = operand(inputs, 0)
    if (shape.length < 2 || sizeAt(operand(inputs, 0), -1) === 0) {
      throw shapeError('Argmax', inputs, '[..., choices] with at least one choice')
    }
    return shape.slice(0, -1)
  },
  dtype: () => 'int64',
  onnx: (lowering, inputs, { tensor }) => {
    const x = operand(inputs, 0)
    if (lowering.target === 'webgpu') return firstByComparison(lowering, x)
    const index = lowering.emit('ArgMax', [lowering.full(x)], { axis: -1, keepdims: 0, select_last_index: 0 })
    return lowering.asFull(index, tensor.shape)
  },
})

/** Where the largest along the last axis stands, the first of equals. @returns int64, without that axis */
export function argmax(x: Tensor): Tensor {
  return argmaxOp([x], {})
}
