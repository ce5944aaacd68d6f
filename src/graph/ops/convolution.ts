import { elements, sameDim, sameShape, times } from '../dim.js'
import { defineOp, operand, shapeError } from '../op.js'
import { sizeAt, type Tensor } from '../tensor.js'
import { sumTo } from './broadcasting.js'
import { convolutionInputGradient, convolutionWeightGradient } from './convolution-gradient.js'
import { reshape, transpose } from './layout.js'

const convolutionOp = defineOp<{ stride: number }>({
  name: 'Convolution',
  shape: (inputs, { stride }) => {
    const [x, weight] = [operand(inputs, 0), operand(inputs, 1)]
    const [batch, channels, height, width] = x.shape
    const [outChannels, inChannels, kernelHeight, kernelWidth] = weight.shape
    if (
      batch === undefined ||
      outChannels === undefined ||
      typeof height !== 'number' ||
      typeof width !== 'number' ||
      typeof kernelHeight !== 'number' ||
      typeof kernelWidth !== 'number' ||
      !sameDim(channels ?? 0, inChannels ?? -1) ||
      kernelHeight > height ||
      kernelWidth > width ||
      !sameShape(operand(inputs, 2).shape, [outChannels])
    ) {
      throw shapeError(
        'Convolution',
        inputs,
        'x [batch, in, height, width], weight [out, in, kernel, kernel] and bias [out]',
      )
    }
    const steps = (size: number, kernel: number) => Math.floor((size - kernel) / stride) + 1
    return [batch, outChannels, steps(height, kernelHeight), steps(width, kernelWidth)]
  },
  cost: (inputs, output) => {
    const [, inChannels = 1, kernelHeight = 1, kernelWidth = 1] = operand(inputs, 1).shape
    return { linear: times(elements(output), elements([inChannels, kernelHeight, kernelWidth])) }
  },
  gradient: (gradient, inputs, { attributes }) => {
    const [x, weight, bias] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)]
    return [
      convolutionInputGradient(gradient, weight, { like: x, ...attributes }),
      convolutionWeightGradient(gradient, x, { like: weight, ...attributes }),
      reshape(sumTo(gradient, [1, sizeAt(bias, 0), 1, 1]), bias.shape),
    ]
  },
  onnx: (lowering, inputs, { tensor, attributes: { stride } }) => {
    const operands = inputs.map((input) => lowering.full(input))
    return lowering.asFull(lowering.emit('Conv', operands, { strides: [stride, stride] }), tensor.shape)
  },
})

/**
 * 2-D convolution without padding.
 * @param x `[batch, in, height, width]` @param weight `[out, in, kernel, kernel]` @param bias `[out]`
 */
export function convolution(x: Tensor, weight: Tensor, bias: Tensor, { stride }: { stride: number }): Tensor {
  return convolutionOp([x, weight, bias], { stride })
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
