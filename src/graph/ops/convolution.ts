import { type Shape, sameDim, sameShape, times } from '../dim.js'
import { defineOp, operand, shapeError } from '../op.js'
import { sizeAt, type Tensor } from '../tensor.js'
import { sumTo } from './broadcasting.js'
import {
  type ConvolutionForm,
  type ConvolutionOptions,
  completeForm,
  isWhole,
  macs,
  onnxForm,
  positions,
} from './convolution-form.js'
import { convolutionInputGradient, convolutionWeightGradient } from './convolution-gradient.js'
import { reshape, transpose } from './layout.js'

type Form = ConvolutionForm & Record<string, unknown>

/** Batch, channels and the numbers of rows and columns of a map or a kernel; undefined if they aren't such. */
function mapSizes(shape: Shape) {
  const [first, second, height, width] = shape
  if (shape.length !== 4 || first === undefined || second === undefined) return undefined
  if (typeof height !== 'number' || typeof width !== 'number') return undefined
  return { first, second, height, width }
}

/** A bias, if there is one, has a number for each output channel. */
function biasFits(bias: Tensor | undefined, channels: Shape[number]): boolean {
  return bias === undefined || sameShape(bias.shape, [channels])
}

function ofBias(gradient: Tensor, bias: Tensor | undefined): Tensor[] {
  return bias ? [reshape(sumTo(gradient, [1, sizeAt(bias, 0), 1, 1]), bias.shape)] : []
}

const convolutionOp = defineOp<Form>({
  name: 'Convolution',
  shape: (inputs, form) => {
    const [x, kernel] = [mapSizes(operand(inputs, 0).shape), mapSizes(operand(inputs, 1).shape)]
    const { groups } = form
    if (x && kernel && isWhole(form) && sameDim(x.second, times(kernel.second, groups))) {
      const rows = positions(x.height, kernel.height, form)
      const columns = positions(x.width, kernel.width, form)
      const divides = typeof kernel.first === 'number' && kernel.first % groups === 0
      if (rows > 0 && columns > 0 && divides && biasFits(inputs[2], kernel.first)) {
        return [x.first, kernel.first, rows, columns]
      }
    }
    const channels = groups === 1 ? 'in' : `in/${groups}`
    throw shapeError(
      'Convolution',
      inputs,
      `x [batch, in, height, width], weight [out, ${channels}, kernel, kernel] that fits into it, and bias [out] or none`,
    )
  },
  cost: (inputs, output) => macs(output, operand(inputs, 1).shape),
  gradient: (gradient, inputs, { attributes: form }) => {
    const [x, weight] = [operand(inputs, 0), operand(inputs, 1)]
    return [
      convolutionInputGradient(gradient, weight, { like: x, form }),
      convolutionWeightGradient(gradient, x, { like: weight, form }),
      ...ofBias(gradient, inputs[2]),
    ]
  },
  onnx: (lowering, inputs, { tensor, attributes }) => {
    const operands = inputs.map((input) => lowering.full(input))
    return lowering.asFull(lowering.emit('Conv', operands, onnxForm(attributes)), tensor.shape)
  },
})

/**
 * 2-D convolution.
 * @param x `[batch, in, height, width]` @param weight `[out, in/groups, kernel, kernel]` @param bias `[out]`, or none
 * @returns `[batch, out, rows, columns]`; pixels that don't fill a stride are left out
 */
export function convolution(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  options: ConvolutionOptions,
): Tensor {
  return convolutionOp(bias ? [x, weight, bias] : [x, weight], { ...completeForm(options) })
}

const mapToTokensOp = defineOp({
  name: 'MapToTokens',
  shape: (inputs) => {
    const map = operand(inputs, 0)
    if (map.shape.length !== 4) throw shapeError('MapToTokens', inputs, '[batch, width, rows, columns]')
    return [sizeAt(map, 0), times(sizeAt(map, 2), sizeAt(map, 3)), sizeAt(map, 1)]
  },
  gradient: (gradient, inputs) => [reshape(transpose(gradient, [0, 2, 1]), operand(inputs, 0).shape)],
  onnx: (lowering, inputs, { tensor }) => {
    const [batch = 1, tokens = 1, width = 1] = tensor.shape
    const flat = lowering.reshape(lowering.full(operand(inputs, 0)), [batch, width, tokens])
    return lowering.asFull(lowering.emit('Transpose', [flat], { perm: [0, 2, 1] }), tensor.shape)
  },
})

/** `[batch, width, rows, columns]` → `[batch, rows·columns, width]`, left to right, top to bottom. */
export function mapToTokens(map: Tensor): Tensor {
  return mapToTokensOp([map], {})
}
