import { elements, minus, type Shape, sameDim, sameShape, times } from '../dim.js'
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
  reached,
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

const transposedConvolutionOp = defineOp<Form>({
  name: 'TransposedConvolution',
  shape: (inputs, form) => {
    const [x, kernel] = [mapSizes(operand(inputs, 0).shape), mapSizes(operand(inputs, 1).shape)]
    if (x && kernel && isWhole(form) && sameDim(x.second, kernel.first)) {
      const [height, width] = [reached(x.height, kernel.height, form), reached(x.width, kernel.width, form)]
      const channels = times(kernel.second, form.groups)
      const divides = typeof kernel.first === 'number' && kernel.first % form.groups === 0
      if (height > 0 && width > 0 && divides && biasFits(inputs[2], channels))
        return [x.first, channels, height, width]
    }
    throw shapeError(
      'TransposedConvolution',
      inputs,
      'x [batch, in, height, width], weight [in, out, kernel, kernel] and bias [out] or none',
    )
  },
  // one for each input position, input channel and tap; thop: for each output element, input channel and tap
  cost: (inputs, output, { groups }) => {
    const [x, weight] = [operand(inputs, 0), operand(inputs, 1)]
    const { linear } = macs(x.shape, weight.shape)
    const channels = Number(sizeAt(weight, 0)) / groups
    const counted = times(elements(output), elements([channels, ...weight.shape.slice(2)]))
    return { linear, thopExcess: minus(counted, linear) }
  },
  gradient: (gradient, inputs, { attributes: form }) => {
    const [x, weight] = [operand(inputs, 0), operand(inputs, 1)]
    // it is a convolution read backward: what was that one's input is this one's output
    return [
      convolution(gradient, weight, undefined, form),
      convolutionWeightGradient(x, gradient, { like: weight, form }),
      ...ofBias(gradient, inputs[2]),
    ]
  },
  onnx: (lowering, inputs, { tensor, attributes }) => {
    const operands = inputs.map((input) => lowering.full(input))
    return lowering.asFull(lowering.emit('ConvTranspose', operands, onnxForm(attributes)), tensor.shape)
  },
})

/**
 * 2-D transposed convolution: each pixel puts its multiple of the kernel into a larger map, a stride apart.
 * @param x `[batch, in, height, width]` @param weight `[in, out/groups, kernel, kernel]` @param bias `[out]`, or none
 * @returns `[batch, out, (height − 1)·stride + kernel − 2·padding, …]`
 */
export function transposedConvolution(
  x: Tensor,
  weight: Tensor,
  bias: Tensor | undefined,
  options: ConvolutionOptions,
): Tensor {
  return transposedConvolutionOp(bias ? [x, weight, bias] : [x, weight], { ...completeForm(options) })
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
