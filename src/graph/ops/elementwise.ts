import type { Shape } from '../dim.js'
import { broadcast, defineOp, operand, shapeError } from '../op.js'
import type { Tensor } from '../tensor.js'
import { sumTo } from './broadcasting.js'

function broadcastShape(op: string, inputs: readonly Tensor[]): Shape {
  const shape = broadcast(operand(inputs, 0).shape, operand(inputs, 1).shape)
  if (!shape) throw shapeError(op, inputs, 'shapes that broadcast to each other')
  return shape
}

const addOp = defineOp({
  name: 'Add',
  shape: (inputs) => broadcastShape('Add', inputs),
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
  gradient: (gradient, inputs) => [
    sumTo(gradient, operand(inputs, 0).shape),
    sumTo(affine(gradient, { factor: -1 }), operand(inputs, 1).shape),
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
  // d(a/b) = da/b − (a/b)·db/b
  gradient: (gradient, inputs, { output }) => {
    const [a, b] = [operand(inputs, 0), operand(inputs, 1)]
    const ofA = divide(gradient, b)
    return [sumTo(ofA, a.shape), sumTo(affine(multiply(ofA, output), { factor: -1 }), b.shape)]
  },
  onnx: (lowering, inputs, { tensor }) => lowering.elementwise('Div', inputs, tensor.shape),
})

/** `a ÷ b` element by element, with numpy's broadcasting. */
export function divide(a: Tensor, b: Tensor): Tensor {
  return divideOp([a, b], {})
}

const affineOp = defineOp<{ factor: number; offset: number }>({
  name: 'Affine',
  shape: (inputs) => operand(inputs, 0).shape,
  gradient: (gradient, _, { attributes: { factor } }) => [affine(gradient, { factor })],
  onnx: (lowering, inputs, { tensor, attributes: { factor, offset } }) => {
    const scalar = (value: number) => lowering.asFull(lowering.floats([value], [1]), [1])
    const scaled =
      factor === 1
        ? operand(inputs, 0)
        : lowering.elementwise('Mul', [operand(inputs, 0), scalar(factor)], tensor.shape)
    return offset === 0 ? scaled : lowering.elementwise('Add', [scaled, scalar(offset)], tensor.shape)
  },
})

/** `factor · x + offset` with constants. */
export function affine(x: Tensor, { factor = 1, offset = 0 }: { factor?: number; offset?: number }): Tensor {
  return factor === 1 && offset === 0 ? x : affineOp([x], { factor, offset })
}
