import type { Lowering } from '../lowering.js'
import { defineOp, operand } from '../op.js'
import type { Tensor } from '../tensor.js'
import { reduceSum } from './broadcasting.js'
import { multiply, subtract } from './elementwise.js'

const softmaxOp = defineOp({
  name: 'Softmax',
  shape: (inputs) => operand(inputs, 0).shape,
  gradient: (gradient, _, { output }) => [softmaxGradient(gradient, output)],
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

/** The gradient of softmax's input: `y·(dy − Σ y·dy)`. @param y what softmax gave */
export function softmaxGradient(gradient: Tensor, y: Tensor): Tensor {
  const product = multiply(gradient, y)
  return subtract(product, multiply(y, reduceSum(product, { axes: [-1] })))
}

/** What ONNX Runtime's WebGPU provider has no operator for. */
function shiftedLogSoftmax(lowering: Lowering, x: string): string {
  const largest = lowering.reduce('ReduceMax', x, { axes: [-1], keepAxes: true })
  const shifted = lowering.emit('Sub', [x, largest])
  const exponentials = lowering.emit('Exp', [shifted])
  const total = lowering.reduce('ReduceSum', exponentials, { axes: [-1], keepAxes: true })
  return lowering.emit('Sub', [shifted, lowering.emit('Log', [total])])
}

const logSoftmaxOp = defineOp({
  name: 'LogSoftmax',
  shape: (inputs) => operand(inputs, 0).shape,
  gradient: (gradient, inputs) => {
    const total = reduceSum(gradient, { axes: [-1] })
    return [subtract(gradient, multiply(softmax(operand(inputs, 0)), total))]
  },
  onnx: (lowering, inputs, { tensor }) => {
    const x = lowering.full(operand(inputs, 0))
    const result =
      lowering.target === 'webgpu'
        ? shiftedLogSoftmax(lowering, x)
        : lowering.emit('LogSoftmax', [x], { axis: -1 })
    return lowering.asFull(result, tensor.shape)
  },
})

/** The logarithm of softmax over the last axis, exact where softmax itself would round to 0. */
export function logSoftmax(x: Tensor): Tensor {
  return logSoftmaxOp([x], {})
}
