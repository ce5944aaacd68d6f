import { elements, type Shape } from '../dim.js'
import type { Dtype } from '../lowering.js'
import { defineOp, shapeError } from '../op.js'
import type { Tensor } from '../tensor.js'

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

const tableOp = defineOp<{ values: readonly number[]; shape: readonly number[]; dtype: Dtype }>({
  name: 'Table',
  shape: (inputs, { values, shape }) => {
    if (values.length !== elements(shape)) throw shapeError('Table', inputs, `${elements(shape)} values`)
    return shape
  },
  dtype: (_, { dtype }) => dtype,
  gradient: () => [],
  onnx: (lowering, _, { tensor, attributes: { values, shape, dtype } }) => {
    // WebGPU's indices are floats, exact in float32
    if (dtype === 'float32') return lowering.asFull(lowering.floats(values, shape), shape)
    if (lowering.target === 'webgpu') return lowering.asFull(lowering.floats(values, shape, 'float32'), shape)
    return lowering.asFull(lowering.reshape(lowering.integers(values), shape), tensor.shape)
  },
})

/**
 * Numbers that are known when the graph is built, e.g. which tokens are even.
 * @param shape of as many elements as there are values, row-major
 */
export function table(
  values: readonly number[],
  shape: readonly number[],
  { dtype = 'float32' as Dtype } = {},
): Tensor {
  return tableOp([], { values, shape, dtype })
}
