import { defineOp, operand } from '../op.js'
import type { Tensor } from '../tensor.js'

const softmaxOp = defineOp({
  name: 'Softmax',
  shape: (inputs) => operand(inputs, 0).shape,
  onnx: (lowering, inputs, { tensor }) =>
    lowering.asFull(
      lowering.emit('Softmax', [lowering.full(operand(inputs, 0))], { axis: -1 }),
      tensor.shape,
    ),
})

/** Softmax over the last axis. */
export function softmax(x: Tensor): Tensor {
  return softmaxOp([x], {})
}
