import { defineOp, operand } from '../op.js'
import type { Tensor } from '../tensor.js'

const geluOp = defineOp({
  name: 'Gelu',
  shape: (inputs) => operand(inputs, 0).shape,
  onnx: (lowering, inputs, { tensor }) => {
    const x = operand(inputs, 0)
    const { shape } = tensor
    if (lowering.target === 'native') return lowering.elementwise('Gelu', [x], shape)
    // Opset 17 has no Gelu: x·Φ(x) = x · (1 + erf(x/√2)) / 2
    const constant = (value: number) => lowering.asFull(lowering.floats([value], [1]), [1])
    const erf = lowering.elementwise(
      'Erf',
      [lowering.elementwise('Mul', [x, constant(Math.SQRT1_2)], shape)],
      shape,
    )
    const twicePhi = lowering.elementwise('Add', [erf, constant(1)], shape)
    const half = lowering.elementwise('Mul', [x, constant(0.5)], shape)
    return lowering.elementwise('Mul', [half, twicePhi], shape)
  },
})

/** The exact GELU, x·Φ(x); not the tanh approximation. */
export function gelu(x: Tensor): Tensor {
  return geluOp([x], {})
}
