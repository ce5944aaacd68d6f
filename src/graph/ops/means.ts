import { type Dim, elements } from '../dim.js'
import { defineOp, operand } from '../op.js'
import { axisOf, sizeAt, type Tensor } from '../tensor.js'
import { reduceSum } from './broadcasting.js'
import { scaleShift } from './elementwise.js'
import { reshape } from './layout.js'

const divideBySizeOp = defineOp<{ size: Dim }>({
  name: 'DivideBySize',
  shape: (inputs) => operand(inputs, 0).shape,
  gradient: (gradient, _, { attributes: { size } }) => [divideBySize(gradient, size)],
  onnx: (lowering, inputs, { tensor, attributes: { size } }) => {
    const count = lowering.toFloats(lowering.size(size))
    return lowering.elementwise('Div', [operand(inputs, 0), lowering.asFull(count, [1])], tensor.shape)
  },
})

/** Divides by a size, which may be known only when the graph runs. */
export function divideBySize(x: Tensor, size: Dim): Tensor {
  return typeof size === 'number' ? scaleShift(x, { scale: 1 / size }) : divideBySizeOp([x], { size })
}

/**
 * The mean along some axes, which stay as axes of size 1; negative ones count from the last.
 * @returns without `axes` that of all elements, `[1]`
 */
export function mean(x: Tensor, { axes }: { axes?: readonly number[] } = {}): Tensor {
  if (!axes) return divideBySize(reshape(reduceSum(x), [1]), elements(x.shape))
  const counted = [...new Set(axes.map((axis) => axisOf(x, axis)))]
  return divideBySize(reduceSum(x, { axes }), elements(counted.map((axis) => sizeAt(x, axis))))
}
