import { defineOp, operand } from '../op.js'
import type { Tensor } from '../tensor.js'
import { multiply, scaleShift } from './elementwise.js'

const sineOp = defineOp({
  name: 'Sine',
  shape: (inputs) => operand(inputs, 0).shape,
  gradient: (gradient, inputs) => [multiply(gradient, cosine(operand(inputs, 0)))],
  onnx: (lowering, inputs, { tensor }) => lowering.elementwise('Sin', inputs, tensor.shape),
})

/** The sine of radians; on WebGPU exact to 2⁻¹¹ only. */
export function sine(x: Tensor): Tensor {
  return sineOp([x], {})
}

const cosineOp = defineOp({
  name: 'Cosine',
  shape: (inputs) => operand(inputs, 0).shape,
  gradient: (gradient, inputs) => [multiply(gradient, scaleShift(sine(operand(inputs, 0)), { scale: -1 }))],
  onnx: (lowering, inputs, { tensor }) => lowering.elementwise('Cos', inputs, tensor.shape),
})

/** The cosine of radians; on WebGPU exact to 2⁻¹¹ only. */
export function cosine(x: Tensor): Tensor {
  return cosineOp([x], {})
}
