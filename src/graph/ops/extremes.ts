import type { Dim } from '../dim.js'
import { defineOp, operand, shapeError } from '../op.js'
import { sizeAt, type Tensor } from '../tensor.js'
import { multiply } from './elementwise.js'
import { argmaxByComparison, oneHotByComparison } from './order-in-floats.js'

function checkRows(op: string, inputs: readonly Tensor[]): void {
  const { shape, dtype } = operand(inputs, 0)
  if (shape.length === 0 || shape.at(-1) === 0 || dtype !== 'float32') {
    throw shapeError(op, inputs, 'float32 with a last axis of at least one element')
  }
}

const reduceMaxOp = defineOp({
  name: 'ReduceMax',
  shape: (inputs) => {
    checkRows('ReduceMax', inputs)
    return operand(inputs, 0).shape.with(-1, 1)
  },
  // to the element that is the largest; of equal ones to the first, which argmax names
  gradient: (gradient, inputs) => {
    const x = operand(inputs, 0)
    return [multiply(gradient, oneHot(argmax(x), { classes: sizeAt(x, -1) }))]
  },
  onnx: (lowering, inputs, { tensor }) => {
    const x = lowering.full(operand(inputs, 0))
    return lowering.asFull(lowering.reduce('ReduceMax', x, { axes: [-1], keepAxes: true }), tensor.shape)
  },
})

/** The largest element along the last axis, which stays as an axis of size 1. @returns `[..., 1]` */
export function reduceMax(x: Tensor): Tensor {
  return reduceMaxOp([x], {})
}

const argmaxOp = defineOp({
  name: 'Argmax',
  shape: (inputs) => {
    checkRows('Argmax', inputs)
    return operand(inputs, 0).shape.slice(0, -1)
  },
  dtype: () => 'int64',
  gradient: () => [undefined],
  onnx: (lowering, inputs, { tensor }) => {
    const x = operand(inputs, 0)
    if (lowering.target === 'webgpu') return lowering.asFull(argmaxByComparison(lowering, x), tensor.shape)
    const options = { axis: -1, keepdims: 0, select_last_index: 0 }
    return lowering.asFull(lowering.emit('ArgMax', [lowering.full(x)], options), tensor.shape)
  },
})

/** The index of the largest element along the last axis; of equal ones the first. @returns int64 `[...]` */
export function argmax(x: Tensor): Tensor {
  return argmaxOp([x], {})
}

const oneHotOp = defineOp<{ classes: Dim }>({
  name: 'OneHot',
  shape: (inputs, { classes }) => {
    const indices = operand(inputs, 0)
    if (indices.dtype !== 'int64') throw shapeError('OneHot', inputs, 'int64 indices')
    return [...indices.shape, classes]
  },
  dtype: () => 'float32',
  gradient: () => [undefined],
  onnx: (lowering, inputs, { tensor, attributes: { classes } }) => {
    if (lowering.target === 'webgpu') {
      return lowering.asFull(oneHotByComparison(lowering, operand(inputs, 0), classes), tensor.shape)
    }
    const operands = [lowering.full(operand(inputs, 0)), lowering.size(classes), lowering.floats([0, 1])]
    return lowering.asFull(lowering.emit('OneHot', operands, { axis: -1 }), tensor.shape)
  },
})

/** 1 at the index along a new last axis, 0 elsewhere. @param indices int64 `[...]` @returns `[..., classes]` */
export function oneHot(indices: Tensor, { classes }: { classes: Dim }): Tensor {
  return oneHotOp([indices], { classes })
}
