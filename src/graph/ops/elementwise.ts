import { broadcastShape, cutElementwise, defineOp, operand } from '../op.js'
import type { Tensor } from '../tensor.js'
import { sumTo } from './broadcasting.js'

const addOp = defineOp({
  name: 'Add',
  shape: (inputs) => broadcastShape('Add', inputs),
  cut: cutElementwise,
  gradient: (gradient, inputs) => inputs.map(({ shape }) => sumTo(gradient, shape)),
  onnx: (lowering, inputs, { tensor }) => lowering.elementwise('Add', inputs, tensor.shape),
})

/** `a + b`, with numpy's broadcasting. */
export function add(a: Tensor, b: Tensor): Tensor {
  return addOp([a, b], {})
}

const multiplyOp = defineOp({
  name: 'Multiply',
  shape: (inputs) => broadcastShape('Multiply', inputs),
  cut: cutElementwise,
  gradient: (gradient, inputs) => {
    const [a, b] = [operand(inputs, 0), operand(inputs, 1)]
    return [sumTo(multiply(gradient, b), a.shape), sumTo(multiply(gradient, a), b.shape)]
  },
  onnx: (lowering, inputs, { tensor }) => lowering.elementwise('Mul', inputs, tensor.shape),
})

/** `a · b` element by element, with numpy's broadcasting. */
export function multiply(a: Tensor, b: Tensor): Tensor {
  return multiplyOp([a, b], {})
}

const subtractOp = defineOp({
  name: 'Subtract',
  shape: (inputs) => broadcastShape('Subtract', inputs),
  cut: cutElementwise,
  gradient: (gradient, inputs) => [
    sumTo(gradient, operand(inputs, 0).shape),
    sumTo(scaleShift(gradient, { scale: -1 }), operand(inputs, 1).shape),
  ],
  onnx: (lowering, inputs, { tensor }) => lowering.elementwise('Sub', inputs, tensor.shape),
})

/** `a − b`, with numpy's broadcasting. */
export function subtract(a: Tensor, b: Tensor): Tensor {
  return subtractOp([a, b], {})
}

const divideOp = defineOp({
  name: 'Divide',
  shape: (inputs) => broadcastShape('Divide', inputs),
  cut: cutElementwise,
  // d(a/b) = da/b − (a/b)·db/b
  gradient: (gradient, inputs, { output }) => {
    const [a, b] = [operand(inputs, 0), operand(inputs, 1)]
    const ofA = divide(gradient, b)
    return [sumTo(ofA, a.shape), sumTo(scaleShift(multiply(ofA, output), { scale: -1 }), b.shape)]
  },
  onnx: (lowering, inputs, { tensor }) => lowering.elementwise('Div', inputs, tensor.shape),
})

/** `a ÷ b` element by element, with numpy's broadcasting. */
export function divide(a: Tensor, b: Tensor): Tensor {
  return divideOp([a, b], {})
}

const scaleShiftOp = defineOp<{ scale: number; shift: number }>({
  name: 'ScaleShift',
  shape: (inputs) => operand(inputs, 0).shape,
  cut: cutElementwise,
  gradient: (gradient, _, { attributes: { scale } }) => [scaleShift(gradient, { scale })],
  onnx: (lowering, inputs, { tensor, attributes: { scale, shift } }) => {
    const scalar = (value: number) => lowering.asFull(lowering.floats([value], [1]), [1])
    const scaled =
      scale === 1
        ? operand(inputs, 0)
        : lowering.elementwise('Mul', [operand(inputs, 0), scalar(scale)], tensor.shape)
    return shift === 0 ? scaled : lowering.elementwise('Add', [scaled, scalar(shift)], tensor.shape)
  },
})

/** `scale · x + shift` with constants. */
export function scaleShift(x: Tensor, { scale = 1, shift = 0 }: { scale?: number; shift?: number }): Tensor {
  return scale === 1 && shift === 0 ? x : scaleShiftOp([x], { scale, shift })
}
