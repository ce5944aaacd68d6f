import type { Lowering, Value } from '../lowering.js'
import { broadcastShape, defineOp, type Op, operand, shapeError } from '../op.js'
import type { Tensor } from '../tensor.js'
import { sumTo } from './broadcasting.js'
import { constant } from './constants.js'

/** An op that tells 1 where a comparison of two tensors of one type holds, else 0. */
function comparison(name: 'Greater' | 'Less' | 'Equal'): Op<Record<string, never>> {
  return defineOp({
    name,
    shape: (inputs) => {
      const [a, b] = [operand(inputs, 0), operand(inputs, 1)]
      if (a.dtype !== b.dtype)
        throw shapeError(name, inputs, `operands of one type, not ${a.dtype} and ${b.dtype}`)
      return broadcastShape(name, inputs)
    },
    dtype: () => 'float32',
    // a step is flat wherever it has a slope at all
    gradient: () => [undefined, undefined],
    onnx: (lowering, inputs, { tensor }) => {
      const truth = lowering.elementwise(name, inputs, tensor.shape)
      return lowering.mapForm(truth, (form) => lowering.toFloats(form))
    },
  })
}

const greaterOp = comparison('Greater')
const lessOp = comparison('Less')
const equalOp = comparison('Equal')

function asTensor(b: Tensor | number): Tensor {
  return typeof b === 'number' ? constant(b, []) : b
}

/** 1 where `a > b`, else 0; with numpy's broadcasting. Both float32 or both int64; float32 beside a number. */
export function greater(a: Tensor, b: Tensor | number): Tensor {
  return greaterOp([a, asTensor(b)], {})
}

/** 1 where `a < b`, else 0. */
export function less(a: Tensor, b: Tensor | number): Tensor {
  return lessOp([a, asTensor(b)], {})
}

/** 1 where `a = b`, else 0. */
export function equal(a: Tensor, b: Tensor | number): Tensor {
  return equalOp([a, asTensor(b)], {})
}

/** Zeros and ones as ONNX's truth values, in the form that they have. */
function truthOf(lowering: Lowering, condition: Value): Value {
  const half = lowering.asFull(lowering.floats([0.5], []), [])
  return lowering.elementwise('Greater', [condition, half], condition.shape)
}

const whereOp = defineOp({
  name: 'Where',
  shape: (inputs) => {
    const [condition, a, b] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)]
    if (condition.dtype !== 'float32' || a.dtype !== b.dtype) {
      throw shapeError(
        'Where',
        inputs,
        'a condition of zeros and ones in float32, and two operands of one type',
      )
    }
    return broadcastShape('Where', inputs)
  },
  dtype: (inputs) => operand(inputs, 1).dtype,
  gradient: (gradient, inputs) => {
    const [condition, a, b] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)]
    return [
      undefined,
      sumTo(where(condition, gradient, 0), a.shape),
      sumTo(where(condition, 0, gradient), b.shape),
    ]
  },
  onnx: (lowering, inputs, { tensor }) => {
    const [condition, a, b] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)]
    return lowering.elementwise('Where', [truthOf(lowering, condition), a, b], tensor.shape)
  },
})

/**
 * `a` where the condition is 1, `b` where it is 0: picked, not multiplied, so infinities of the other stay out.
 * @param condition zeros and ones, e.g. of {@link greater}; all three broadcast to each other
 */
export function where(condition: Tensor, a: Tensor | number, b: Tensor | number): Tensor {
  return whereOp([condition, asTensor(a), asTensor(b)], {})
}
