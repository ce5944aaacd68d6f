import { defineOp, operand, shapeError } from '../op.js'
import type { Tensor } from '../tensor.js'

const cumulativeSumOp = defineOp<{ fromEnd: boolean }>({
  name: 'CumulativeSum',
  shape: (inputs) => {
    const { shape, dtype } = operand(inputs, 0)
    if (shape.length === 0 || dtype !== 'float32')
      throw shapeError('CumulativeSum', inputs, 'float32 with a last axis')
    return shape
  },
  // an element is part of its own sum and of all that come after it
  gradient: (gradient, _, { attributes: { fromEnd } }) => [cumulativeSum(gradient, { fromEnd: !fromEnd })],
  onnx: (lowering, inputs, { tensor, attributes: { fromEnd } }) => {
    const axis = lowering.reshape(lowering.integers([tensor.shape.length - 1]), [])
    const operands = [lowering.full(operand(inputs, 0)), axis]
    return lowering.asFull(lowering.emit('CumSum', operands, { reverse: Number(fromEnd) }), tensor.shape)
  },
})

/** Along the last axis, the sum of all elements up to each, itself included; or from each to the end. */
export function cumulativeSum(x: Tensor, { fromEnd = false }: { fromEnd?: boolean } = {}): Tensor {
  return cumulativeSumOp([x], { fromEnd })
}
