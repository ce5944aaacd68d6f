import { elements, sameShape } from '../dim.js'
import { cutRows, defineOp, operand, shapeError } from '../op.js'
import { sizeAt, type Tensor } from '../tensor.js'
import { sumTo } from './broadcasting.js'
import { multiply } from './elementwise.js'
import { normalize, normalizeGradient } from './normalize.js'

const layerNormOp = defineOp<{ epsilon: number; kind?: string }>({
  name: 'LayerNorm',
  shape: (inputs) => {
    const width = sizeAt(operand(inputs, 0), -1)
    const fits = [1, 2].every((i) => sameShape(operand(inputs, i).shape, [width]))
    if (!fits) throw shapeError('LayerNorm', inputs, `weight and bias of [${width}]`)
    return operand(inputs, 0).shape
  },
  cut: cutRows,
  cost: (_, output, { kind = 'normalised' }) => ({ [kind]: elements(output) }),
  gradient: (gradient, inputs, { attributes }) => {
    const [x, weight, bias] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)]
    const normalized = normalize(x, attributes)
    return [
      normalizeGradient(multiply(gradient, weight), x, normalized, attributes),
      sumTo(multiply(gradient, normalized), weight.shape),
      sumTo(gradient, bias.shape),
    ]
  },
  onnx: (lowering, inputs, { tensor, attributes: { epsilon } }) => {
    const x = operand(inputs, 0)
    const affine = [lowering.full(operand(inputs, 1)), lowering.full(operand(inputs, 2))]
    const options = { axis: -1, epsilon: { float: epsilon } }
    return x.rows === undefined
      ? lowering.asFull(
          lowering.emit('LayerNormalization', [lowering.full(x), ...affine], options),
          tensor.shape,
        )
      : lowering.asRows(lowering.emit('LayerNormalization', [x.rows, ...affine], options), tensor.shape)
  },
})

/**
 * `(x − mean)/√(variance + ε) · weight + bias` over the last axis, with the biased variance.
 * @param options `kind`: what its elements count as in a cost. Default: `normalised`
 */
export function layerNorm(
  x: Tensor,
  weight: Tensor,
  bias: Tensor,
  options: { epsilon: number; kind?: string },
): Tensor {
  return layerNormOp([x, weight, bias], options)
}
