import { defineOp, operand } from '../op.js'
import type { Tensor } from '../tensor.js'
import { multiply } from './elementwise.js'

const maximumOp = defineOp<{ bound: number }>({
  name: 'Maximum',
  shape: (inputs) => operand(inputs, 0).shape,
  gradient: (gradient, inputs, { attributes: { bound } }) => [
    multiply(gradient, greater(operand(inputs, 0), bound)),
  ],
  onnx: (lowering, inputs, { tensor, attributes: { bound } }) => {
    const limit = lowering.asFull(lowering.floats([bound], [1]), [1])
    return lowering.elementwise('Max', [operand(inputs, 0), limit], tensor.shape)
  },
})

/** `max(x, bound)` */
export function maximum(x: Tensor, bound: number): Tensor {
  return maximumOp([x], { bound })
}

const greaterOp = defineOp<{ bound: number }>({
  name: 'Greater',
  shape: (inputs) => operand(inputs, 0).shape,
  // a step is flat wherever it has a slope at all
  gradient: () => [undefined],
  onnx: (lowering, inputs, { tensor, attributes: { bound } }) => {
    const greater = lowering.emit('Greater', [
      lowering.full(operand(inputs, 0)),
      lowering.floats([bound], [1]),
    ])
    return lowering.asFull(lowering.toFloats(greater), tensor.shape)
  },
})

/** 1 where `x > bound`, else 0. */
export function greater(x: Tensor, bound: number): Tensor {
  return greaterOp([x], { bound })
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
