import type { Lowering, Value } from '../lowering.js'
import { defineOp, operand } from '../op.js'
import type { Tensor } from '../tensor.js'
import { multiply } from './elementwise.js'

function constant(lowering: Lowering, value: number): Value {
  return lowering.asFull(lowering.floats([value], [1]), [1])
}

/** 2·Φ(x) = 1 + erf(x/√2), Φ the normal distribution */
function twicePhi(lowering: Lowering, x: Value): Value {
  const scaled = lowering.elementwise('Mul', [x, constant(lowering, Math.SQRT1_2)], x.shape)
  const erf = lowering.elementwise('Erf', [scaled], x.shape)
  return lowering.elementwise('Add', [erf, constant(lowering, 1)], x.shape)
}

const geluOp = defineOp({
  name: 'Gelu',
  shape: (inputs) => operand(inputs, 0).shape,
  gradient: (gradient, inputs) => [multiply(gradient, geluSlope(operand(inputs, 0)))],
  onnx: (lowering, inputs, { tensor }) => {
    const x = operand(inputs, 0)
    const { shape } = tensor
    if (lowering.target === 'native') return lowering.elementwise('Gelu', [x], shape)
    // Opset 17 has no Gelu: x·Φ(x) = x · (1 + erf(x/√2)) / 2
    const half = lowering.elementwise('Mul', [x, constant(lowering, 0.5)], shape)
    return lowering.elementwise('Mul', [half, twicePhi(lowering, x)], shape)
  },
})

/** The exact GELU, x·Φ(x); not the tanh approximation. */
export function gelu(x: Tensor): Tensor {
  return geluOp([x], {})
}

const geluSlopeOp = defineOp({
  name: 'GeluSlope',
  shape: (inputs) => operand(inputs, 0).shape,
  // d/dx x·Φ(x) = Φ(x) + x·φ(x), φ(x) = e^(−x²/2)/√2π; the part with erf is the same as the GELU's own
  onnx: (lowering, inputs, { tensor: { shape } }) => {
    const x = operand(inputs, 0)
    const phi = lowering.elementwise('Mul', [twicePhi(lowering, x), constant(lowering, 0.5)], shape)
    const square = lowering.elementwise('Mul', [x, x], shape)
    const exponent = lowering.elementwise('Mul', [square, constant(lowering, -0.5)], shape)
    const density = lowering.elementwise('Exp', [exponent], shape)
    const scaled = lowering.elementwise('Mul', [x, constant(lowering, 1 / Math.sqrt(2 * Math.PI))], shape)
    return lowering.elementwise('Add', [phi, lowering.elementwise('Mul', [scaled, density], shape)], shape)
  },
})

/** The derivative of {@link gelu}. */
function geluSlope(x: Tensor): Tensor {
  return geluSlopeOp([x], {})
}
