import type { Lowering, Value } from '../lowering.js'
import { defineOp, operand } from '../op.js'
import { sizeAt, type Tensor } from '../tensor.js'
import { reduceSum } from './broadcasting.js'
import { affine, multiply, subtract } from './elementwise.js'

type Epsilon = { readonly epsilon: number }

/** LayerNorm without its affine part, and 1/√(variance + ε) of each token. */
function statistics(
  lowering: Lowering,
  x: Value,
  epsilon: number,
): { standardised: string; inverse: string } {
  const width = x.shape.at(-1)
  if (typeof width !== 'number') throw new Error('blvit bug: symbolic width')
  const filled = (value: number) => lowering.floats(Array.from({ length: width }, () => value))
  const [standardised = '', , inverse = ''] = lowering.emitMany(
    'LayerNormalization',
    [lowering.rows(x), filled(1), filled(0)],
    3,
    { axis: -1, epsilon: { float: epsilon } },
  )
  return { standardised, inverse }
}

const standardiseOp = defineOp<Epsilon>({
  name: 'Standardise',
  shape: (inputs) => operand(inputs, 0).shape,
  gradient: (gradient, inputs, { output, attributes }) => [
    standardiseGradient(gradient, operand(inputs, 0), output, attributes),
  ],
  onnx: (lowering, inputs, { tensor, attributes: { epsilon } }) =>
    lowering.asRows(statistics(lowering, operand(inputs, 0), epsilon).standardised, tensor.shape),
})

/** `(x − mean)/√(variance + ε)` over the last axis, with the biased variance. */
export function standardise(x: Tensor, { epsilon }: Epsilon): Tensor {
  return standardiseOp([x], { epsilon })
}

const inverseDeviationOp = defineOp<Epsilon>({
  name: 'InverseDeviation',
  shape: (inputs) => operand(inputs, 0).shape.with(-1, 1),
  onnx: (lowering, inputs, { tensor, attributes: { epsilon } }) =>
    lowering.asRows(statistics(lowering, operand(inputs, 0), epsilon).inverse, tensor.shape),
})

/**
 * The gradient of what was standardised: `(g − mean(g) − y·mean(g·y)) / √(variance + ε)`.
 * @param y the standardised `x`
 */
export function standardiseGradient(gradient: Tensor, x: Tensor, y: Tensor, { epsilon }: Epsilon): Tensor {
  const meanOf = (z: Tensor) => affine(reduceSum(z, { axes: [-1] }), { factor: 1 / Number(sizeAt(x, -1)) })
  const centred = subtract(gradient, meanOf(gradient))
  const projected = subtract(centred, multiply(y, meanOf(multiply(gradient, y))))
  return multiply(projected, inverseDeviationOp([x], { epsilon }))
}
