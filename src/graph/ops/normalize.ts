import type { Lowering, Value } from '../lowering.js'
import { defineOp, operand } from '../op.js'
import { sizeAt, type Tensor } from '../tensor.js'
import { reduceSum } from './broadcasting.js'
import { multiply, scaleShift, subtract } from './elementwise.js'

type Epsilon = { readonly epsilon: number }

/** LayerNorm without its affine part, and 1/√(variance + ε) of each token. */
function statistics(lowering: Lowering, x: Value, epsilon: number): { normalized: string; inverse: string } {
  const width = x.shape.at(-1)
  if (typeof width !== 'number') throw new Error('blvit bug: symbolic width')
  const filled = (value: number) => lowering.floats(Array.from({ length: width }, () => value))
  const [normalized = '', , inverse = ''] = lowering.emitMany(
    'LayerNormalization',
    [lowering.rows(x), filled(1), filled(0)],
    3,
    { axis: -1, epsilon: { float: epsilon } },
  )
  return { normalized, inverse }
}

const normalizeOp = defineOp<Epsilon>({
  name: 'Normalize',
  shape: (inputs) => operand(inputs, 0).shape,
  gradient: (gradient, inputs, { output, attributes }) => [
    normalizeGradient(gradient, operand(inputs, 0), output, attributes),
  ],
  onnx: (lowering, inputs, { tensor, attributes: { epsilon } }) =>
    lowering.asRows(statistics(lowering, operand(inputs, 0), epsilon).normalized, tensor.shape),
})

/** `(x − mean)/√(variance + ε)` over the last axis, with the biased variance. */
export function normalize(x: Tensor, { epsilon }: Epsilon): Tensor {
  return normalizeOp([x], { epsilon })
}

const inverseDeviationOp = defineOp<Epsilon>({
  name: 'InverseDeviation',
  shape: (inputs) => operand(inputs, 0).shape.with(-1, 1),
  onnx: (lowering, inputs, { tensor, attributes: { epsilon } }) =>
    lowering.asRows(statistics(lowering, operand(inputs, 0), epsilon).inverse, tensor.shape),
})

/**
 * The gradient of what was normalized: `(g − mean(g) − y·mean(g·y)) / √(variance + ε)`.
 * @param y the normalized `x`
 */
export function normalizeGradient(gradient: Tensor, x: Tensor, y: Tensor, { epsilon }: Epsilon): Tensor {
  const meanOf = (z: Tensor) => scaleShift(reduceSum(z, { axes: [-1] }), { scale: 1 / Number(sizeAt(x, -1)) })
  const centred = subtract(gradient, meanOf(gradient))
  const projected = subtract(centred, multiply(y, meanOf(multiply(gradient, y))))
  return multiply(projected, inverseDeviationOp([x], { epsilon }))
}
