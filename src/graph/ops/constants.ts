import { type Dim, elements, type Shape } from '../dim.js'
import { defineOp, operand, shapeError } from '../op.js'
import type { Tensor } from '../tensor.js'
import { reduceSum } from './broadcasting.js'
import { scaleShift } from './elementwise.js'
import { reshape } from './layout.js'

const constantOp = defineOp<{ value: number; shape: Shape }>({
  name: 'Constant',
  shape: (_, { shape }) => shape,
  dtype: () => 'float32',
  gradient: () => [],
  onnx: (lowering, _, { tensor, attributes: { value } }) => {
    const scalar = lowering.floats([value], [])
    const { shape } = tensor
    const filled = shape.length === 0 ? scalar : lowering.emit('Expand', [scalar, lowering.shape(shape)])
    return lowering.asFull(filled, shape)
  },
})

/** A tensor whose elements all have one value. */
export function constant(value: number, shape: Shape): Tensor {
  return constantOp([], { value, shape })
}

const divideBySizeOp = defineOp<{ size: Dim }>({
  name: 'DivideBySize',
  shape: (inputs) => operand(inputs, 0).shape,
  gradient: (gradient, _, { attributes: { size } }) => [divideBySize(gradient, size)],
  onnx: (lowering, inputs, { tensor, attributes: { size } }) => {
    const count = lowering.toFloats(lowering.size(size))
    return lowering.elementwise('Div', [operand(inputs, 0), lowering.asFull(count, [1])], tensor.shape)
  },
})

/** Divides by a size, which may be known only when the graph runs. */
export function divideBySize(x: Tensor, size: Dim): Tensor {
  return typeof size === 'number' ? scaleShift(x, { scale: 1 / size }) : divideBySizeOp([x], { size })
}

/** The mean of all elements. @returns `[1]` */
export function mean(x: Tensor): Tensor {
  return divideBySize(reshape(reduceSum(x), [1]), elements(x.shape))
}

const oneHotOp = defineOp<{ classes: number }>({
  name: 'OneHot',
  shape: (inputs, { classes }) => {
    const indices = operand(inputs, 0)
    if (indices.dtype !== 'int64') throw shapeError('OneHot', inputs, 'int64 indices')
    return [...indices.shape, classes]
  },
  dtype: () => 'float32',
  gradient: () => [undefined],
  onnx: (lowering, inputs, { tensor, attributes: { classes } }) => {
    const operands = [
      lowering.full(operand(inputs, 0)),
      lowering.integers([classes]),
      lowering.floats([0, 1]),
    ]
    return lowering.asFull(lowering.emit('OneHot', operands, { axis: -1 }), tensor.shape)
  },
})

/** 1 at the index along a new last axis, 0 elsewhere. @param indices int64 `[...]` @returns `[..., classes]` */
export function oneHot(indices: Tensor, { classes }: { classes: number }): Tensor {
  return oneHotOp([indices], { classes })
}
