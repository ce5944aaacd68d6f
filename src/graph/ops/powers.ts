import { defineOp, operand } from '../op.js'
import type { Tensor } from '../tensor.js'
import { divide, multiply, scaleShift } from './elementwise.js'

const squareRootOp = defineOp({
  name: 'SquareRoot',
  shape: (inputs) => operand(inputs, 0).shape,
  gradient: (gradient, _, { output }) => [divide(gradient, scaleShift(output, { scale: 2 }))],
  onnx: (lowering, inputs, { tensor }) => lowering.elementwise('Sqrt', inputs, tensor.shape),
})

/** `√x` */
export function squareRoot(x: Tensor): Tensor {
  return squareRootOp([x], {})
}

const exponentialOp = defineOp({
  name: 'Exponential',
  shape: (inputs) => operand(inputs, 0).shape,
  gradient: (gradient, _, { output }) => [multiply(gradient, output)],
  onnx: (lowering, inputs, { tensor }) => lowering.elementwise('Exp', inputs, tensor.shape),
})

/** `eˣ`; above 88 it overflows in float32: subtract the largest first. */
export function exponential(x: Tensor): Tensor {
  return exponentialOp([x], {})
}

const exponentialMinusOneOp = defineOp({
  name: 'ExponentialMinusOne',
  shape: (inputs) => operand(inputs, 0).shape,
  gradient: (gradient, _, { output }) => [multiply(gradient, scaleShift(output, { shift: 1 }))],
  // eˣ − 1 = 2t/(1 − t) with t = tanh(x/2): near 0 nothing cancels, as it does in exp(x) − 1
  onnx: (lowering, inputs, { tensor: { shape } }) => {
    const constant = (value: number) => lowering.asFull(lowering.floats([value], [1]), [1])
    const half = lowering.elementwise('Mul', [operand(inputs, 0), constant(0.5)], shape)
    const tanh = lowering.elementwise('Tanh', [half], shape)
    const twice = lowering.elementwise('Mul', [tanh, constant(2)], shape)
    return lowering.elementwise(
      'Div',
      [twice, lowering.elementwise('Sub', [constant(1), tanh], shape)],
      shape,
    )
  },
})

/** `eˣ − 1`, exact near 0; for `x` above 17, where tanh rounds to 1, it overflows: meant for decays. */
export function exponentialMinusOne(x: Tensor): Tensor {
  return exponentialMinusOneOp([x], {})
}

const logarithmOp = defineOp({
  name: 'Logarithm',
  shape: (inputs) => operand(inputs, 0).shape,
  gradient: (gradient, inputs) => [divide(gradient, operand(inputs, 0))],
  onnx: (lowering, inputs, { tensor }) => lowering.elementwise('Log', inputs, tensor.shape),
})

/** The natural logarithm of positive numbers. */
export function logarithm(x: Tensor): Tensor {
  return logarithmOp([x], {})
}
