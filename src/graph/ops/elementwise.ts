import type { Shape } from '../dim.js'
import { broadcast, defineOp, operand, shapeError } from '../op.js'
import type { Tensor } from '../tensor.js'

function broadcastShape(op: string, inputs: readonly Tensor[]): Shape {
  const shape = broadcast(operand(inputs, 0).shape, operand(inputs, 1).shape)
  if (!shape) throw shapeError(op, inputs, 'shapes that broadcast to each other')
  return shape
}

const addOp = defineOp({
  name: 'Add',
  shape: (inputs) => broadcastShape('Add', inputs),
  onnx: (lowering, inputs, { tensor }) => lowering.elementwise('Add', inputs, tensor.shape),
})

/** `a + b`, with numpy's broadcasting. */
export function add(a: Tensor, b: Tensor): Tensor {
  return addOp([a, b], {})
}

const multiplyOp = defineOp({
  name: 'Multiply',
  shape: (inputs) => broadcastShape('Multiply', inputs),
  onnx: (lowering, inputs, { tensor }) => lowering.elementwise('Mul', inputs, tensor.shape),
})

/** `a · b` element by element, with numpy's broadcasting. */
export function multiply(a: Tensor, b: Tensor): Tensor {
  return multiplyOp([a, b], {})
}

const affineOp = defineOp<{ factor: number; offset: number }>({
  name: 'Affine',
  shape: (inputs) => operand(inputs, 0).shape,
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
  return affineOp([x], { factor, offset })
}
