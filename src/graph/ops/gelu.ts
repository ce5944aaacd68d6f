import type { Lowering, Value } from '../lowering.js'
import { cutElementwise, defineOp, operand } from '../op.js'
import type { Tensor } from '../tensor.js'
import { multiply } from './elementwise.js'

function constant(lowering: Lowering, value: number): Value {
  return lowering.asFull(lowering.floats([value], [1]), [1])
}

/** z = x/√2 */
function scaled(lowering: Lowering, x: Value): Value {
  return lowering.elementwise('Mul', [x, constant(lowering, Math.SQRT1_2)], x.shape)
}

/** Φ(x) = (1 + erf z)/2, the normal distribution */
function phi(lowering: Lowering, x: Value): Value {
  const erf = lowering.elementwise('Erf', [scaled(lowering, x)], x.shape)
  const half = constant(lowering, 0.5)
  return lowering.elementwise('Add', [lowering.elementwise('Mul', [erf, half], x.shape), half], x.shape)
}

const geluOp = defineOp({
  name: 'Gelu',
  shape: (inputs) => operand(inputs, 0).shape,
  cut: cutElementwise,
  gradient: (gradient, inputs) => [multiply(gradient, geluSlope(operand(inputs, 0)))],
  onnx: (lowering, inputs, { tensor }) => {
    const x = operand(inputs, 0)
    const { shape } = tensor
    if (lowering.target === 'native' && !lowering.differentiated)
      return lowering.elementwise('Gelu', [x], shape)
    // Opset 17 has no Gelu.
    return lowering.elementwise('Mul', [x, phi(lowering, x)], shape)
  },
})

/** The exact GELU, x·Φ(x); not the tanh approximation. */
export function gelu(x: Tensor): Tensor {
  return geluOp([x], {})
}

const geluSlopeOp = defineOp({
  name: 'GeluSlope',
  shape: (inputs) => operand(inputs, 0).shape,
  // d/dx x·Φ(x) = Φ(x) + x·e^(−x²/2)/√2π = Φ(x) + z·e^(−z² − ln √π). Φ and z are the same as the GELU's own, and
  // every factor that goes into an exponent or a z saves a walk through the widest tensors of the model.
  onnx: (lowering, inputs, { tensor: { shape } }) => {
    const x = operand(inputs, 0)
    const z = scaled(lowering, x)
    const square = lowering.elementwise('Mul', [z, z], shape)
    const exponent = lowering.elementwise('Sub', [constant(lowering, -Math.log(Math.PI) / 2), square], shape)
    const density = lowering.elementwise('Exp', [exponent], shape)
    const steep = lowering.elementwise('Mul', [z, density], shape)
    return lowering.elementwise('Add', [phi(lowering, x), steep], shape)
  },
})

/** The derivative of {@link gelu}. */
function geluSlope(x: Tensor): Tensor {
  return geluSlopeOp([x], {})
}
