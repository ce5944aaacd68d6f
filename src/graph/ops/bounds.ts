import { defineOp, operand } from '../op.js'
import type { Tensor } from '../tensor.js'
import { greater } from './comparisons.js'
import { multiply } from './elementwise.js'

const maximumOp = defineOp<{ bound: number }>({
  name: 'Maximum',
  shape: (inputs) => operand(inputs, 0).shape,
  gradient: (gradient, inputs, { attributes: { bound } }) => [
    multiply(gradient, greater(operand(inputs, 0), bound)),
  ],
  onnx: (lowering, inputs, { tensor, attributes: { bound } }) => {
    // engines fuse Relu with the convolution before it
    if (bound === 0) return lowering.elementwise('Relu', [operand(inputs, 0)], tensor.shape)
    const limit = lowering.asFull(lowering.floats([bound], [1]), [1])
    return lowering.elementwise('Max', [operand(inputs, 0), limit], tensor.shape)
  },
})

/** `max(x, bound)` */
export function maximum(x: Tensor, bound: number): Tensor {
  return maximumOp([x], { bound })
}

const stopGradientOp = defineOp({
  name: 'StopGradient',
  shape: (inputs) => operand(inputs, 0).shape,
  gradient: () => [undefined],
  onnx: (_, inputs) => operand(inputs, 0),
})

/** The tensor itself, as a constant of what is learned from it. */
export function stopGradient(x: Tensor): Tensor {
  return stopGradientOp([x], {})
}
