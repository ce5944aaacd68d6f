import { elements } from '../dim.js'
import { defineOp, operand, shapeError } from '../op.js'
import { sizeAt, type Tensor } from '../tensor.js'
import { expand } from './broadcasting.js'
import { table } from './constants.js'
import { reshape } from './layout.js'
import { scatterAdd } from './order.js'

const pickOp = defineOp<{ numbers: readonly number[]; axis: number }>({
  name: 'Pick',
  shape: (inputs, { numbers, axis }) => {
    const x = operand(inputs, 0)
    const size = x.shape[axis]
    const isThere = (number: number) =>
      Number.isInteger(number) && number >= 0 && (typeof size !== 'number' || number < size)
    if (size === undefined || numbers.length === 0 || !numbers.every(isThere)) {
      throw shapeError('Pick', inputs, `numbers of what is along axis ${axis}`)
    }
    return x.shape.with(axis, numbers.length)
  },
  gradient: (gradient, inputs, { attributes: { numbers, axis } }) => {
    const x = operand(inputs, 0)
    // what stands before the axis is a batch, as scatterAdd wants it
    const batch = elements(x.shape.slice(0, axis))
    const indices = expand(table(numbers, [1, numbers.length], { dtype: 'int64' }), [batch, numbers.length])
    const rest = x.shape.slice(axis + 1)
    const flat = reshape(gradient, [batch, numbers.length, ...rest])
    return [reshape(scatterAdd(flat, indices, { tokens: sizeAt(x, axis) }), x.shape)]
  },
  onnx: (lowering, inputs, { tensor, attributes: { numbers, axis } }) => {
    const picked = lowering.emit('Gather', [lowering.full(operand(inputs, 0)), lowering.integers(numbers)], {
      axis,
    })
    return lowering.asFull(picked, tensor.shape)
  },
})

/**
 * What stands at some places along an axis, in their order; each may be asked for several times. The places are known when the
 * graph is built; `gather` takes those that it finds out.
 * @param numbers counted from 0
 */
export function pick(x: Tensor, numbers: readonly number[], { axis }: { axis: number }): Tensor {
  return pickOp([x], { numbers, axis })
}
