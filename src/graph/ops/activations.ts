import { defineOp, operand } from '../op.js'
import type { Tensor } from '../tensor.js'
import { maximum } from './bounds.js'
import { multiply, scaleShift } from './elementwise.js'

const sigmoidOp = defineOp({
  name: 'Sigmoid',
  shape: (inputs) => operand(inputs, 0).shape,
  gradient: (gradient, _, { output }) => [
    multiply(gradient, multiply(output, scaleShift(output, { scale: -1, shift: 1 }))),
  ],
  onnx: (lowering, inputs, { tensor }) => lowering.elementwise('Sigmoid', inputs, tensor.shape),
})

/** `σ(x) = 1/(1 + e⁻ˣ)` */
export function sigmoid(x: Tensor): Tensor {
  return sigmoidOp([x], {})
}

/** `x·σ(x)`, also called swish; ONNX Runtime fuses the two operators. */
export function silu(x: Tensor): Tensor {
  return multiply(x, sigmoid(x))
}

/** `max(x, 0)` */
export function relu(x: Tensor): Tensor {
  return maximum(x, 0)
}
