import { elements, type Shape, times } from '../dim.js'
import type { Lowering } from '../lowering.js'
import { defineOp, operand } from '../op.js'
import type { Tensor } from '../tensor.js'

type Form = { readonly stride: number; readonly shape: Shape }

/** Multiply-adds of any product of a convolution: one for each output position, output channel and tap. */
function macs(outputGradient: Tensor, weight: Shape): { linear: ReturnType<typeof times> } {
  return { linear: times(elements(outputGradient.shape), elements(weight.slice(1))) }
}

function numberAt(shape: Shape, axis: number): number {
  const size = shape[axis]
  if (typeof size !== 'number') throw new Error(`blvit bug: symbolic size on axis ${axis} of a convolution`)
  return size
}

function swapFirstTwo(lowering: Lowering, name: string): string {
  return lowering.emit('Transpose', [name], { perm: [1, 0, 2, 3] })
}

const inputGradientOp = defineOp<Form>({
  name: 'ConvolutionInputGradient',
  shape: (_, { shape }) => shape,
  cost: (inputs) => macs(operand(inputs, 0), operand(inputs, 1).shape),
  // The transposed convolution; rows and columns that no stride reached get zeros.
  onnx: (lowering, inputs, { tensor, attributes: { stride } }) => {
    const [gradient, weight] = [operand(inputs, 0), operand(inputs, 1)]
    const spare = [2, 3].map((axis) => {
      const reached = (numberAt(gradient.shape, axis) - 1) * stride + numberAt(weight.shape, axis)
      return numberAt(tensor.shape, axis) - reached
    })
    const operands = [lowering.full(gradient), lowering.full(weight)]
    const strides = [stride, stride]
    const reached = lowering.emit('ConvTranspose', operands, { strides })
    if (spare.every((size) => size === 0)) return lowering.asFull(reached, tensor.shape)
    const pads = lowering.integers([0, 0, 0, 0, 0, 0, ...spare])
    return lowering.asFull(lowering.emit('Pad', [reached, pads]), tensor.shape)
  },
})

/** The gradient of a convolution's input `like`. @param gradient `[batch, out, rows, columns]` */
export function convolutionInputGradient(
  gradient: Tensor,
  weight: Tensor,
  { like, stride }: { like: Tensor; stride: number },
): Tensor {
  return inputGradientOp([gradient, weight], { stride, shape: like.shape })
}

const weightGradientOp = defineOp<Form>({
  name: 'ConvolutionWeightGradient',
  shape: (_, { shape }) => shape,
  cost: (inputs, shape) => macs(operand(inputs, 0), shape),
  // A convolution of the input by the output's gradient, whose taps lie a stride apart; pictures are summed
  // as channels are.
  onnx: (lowering, inputs, { tensor, attributes: { stride } }) => {
    const [gradient, x] = [operand(inputs, 0), operand(inputs, 1)]
    const operands = [x, gradient].map((value) => swapFirstTwo(lowering, lowering.full(value)))
    const taps = lowering.emit('Conv', operands, { dilations: [stride, stride] })
    const kernel = [2, 3].map((axis) => numberAt(tensor.shape, axis))
    const made = [2, 3].map((axis) => numberAt(x.shape, axis) - (numberAt(gradient.shape, axis) - 1) * stride)
    const fits = made.every((size, i) => size === kernel[i])
    const cut = fits
      ? taps
      : lowering.emit('Slice', [
          taps,
          lowering.integers([0, 0]),
          lowering.integers(kernel),
          lowering.integers([2, 3]),
        ])
    return lowering.asFull(swapFirstTwo(lowering, cut), tensor.shape)
  },
})

/** The gradient of a convolution's weight `like`. @param x its input `[batch, in, height, width]` */
export function convolutionWeightGradient(
  gradient: Tensor,
  x: Tensor,
  { like, stride }: { like: Tensor; stride: number },
): Tensor {
  return weightGradientOp([gradient, x], { stride, shape: like.shape })
}
