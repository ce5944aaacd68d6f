import { type Shape, times } from '../dim.js'
import type { Lowering, Value } from '../lowering.js'
import { defineOp, operand } from '../op.js'
import type { Tensor } from '../tensor.js'
import { type ConvolutionForm, macs, numberAt, onnxForm } from './convolution-form.js'

type GradientForm = ConvolutionForm & { readonly shape: Shape } & Record<string, unknown>

/** What a transposed convolution reads and makes. */
interface Spread {
  /** Names of the map, a number for each position of the kernel, and of the kernels. */
  readonly map: string
  readonly kernels: string
  /** Rows and columns of positions, and of a kernel. */
  readonly positions: readonly [number, number]
  readonly kernel: readonly [number, number]
  /** The shape of what it makes. */
  readonly into: Shape
}

/**
 * Emits the transposed convolution: of all pixels that the kernel reached those that aren't padding. Rows and columns
 * that no stride reached get zeros.
 */
export function emitTransposed(
  lowering: Lowering,
  { map, kernels, positions, kernel, into }: Spread,
  form: ConvolutionForm,
): string {
  const spare = ([0, 1] as const).map((side) => {
    const taps = (kernel[side] - 1) * form.dilation + 1
    const all = (positions[side] - 1) * form.stride + taps
    return numberAt({ shape: into }, side + 2) + form.padding - all
  })
  const [bottom = 0, right = 0] = spare.map((size) => Math.max(0, -size))
  const pads = [form.padding, form.padding, bottom, right]
  const attributes = {
    ...onnxForm({ ...form, padding: 0 }),
    ...(pads.some((size) => size > 0) ? { pads } : {}),
  }
  const made = lowering.emit('ConvTranspose', [map, kernels], attributes)
  if (spare.every((size) => size <= 0)) return made
  const zeros = lowering.integers([0, 0, 0, 0, 0, 0, ...spare.map((size) => Math.max(0, size))])
  return lowering.emit('Pad', [made, zeros])
}

const inputGradientOp = defineOp<GradientForm>({
  name: 'ConvolutionInputGradient',
  shape: (_, { shape }) => shape,
  cost: (inputs) => macs(operand(inputs, 0).shape, operand(inputs, 1).shape),
  onnx: (lowering, inputs, { tensor, attributes: { shape: _, ...form } }) => {
    const [gradient, weight] = [operand(inputs, 0), operand(inputs, 1)]
    const made = emitTransposed(
      lowering,
      {
        map: lowering.full(gradient),
        kernels: lowering.full(weight),
        positions: [numberAt(gradient, 2), numberAt(gradient, 3)],
        kernel: [numberAt(weight, 2), numberAt(weight, 3)],
        into: tensor.shape,
      },
      form,
    )
    return lowering.asFull(made, tensor.shape)
  },
})

/** The gradient of a convolution's input `like`. @param gradient `[batch, out, rows, columns]` */
export function convolutionInputGradient(
  gradient: Tensor,
  weight: Tensor,
  { like, form }: { like: Tensor; form: ConvolutionForm },
): Tensor {
  return inputGradientOp([gradient, weight], { ...form, shape: like.shape })
}

/** `[batch, groups·channels, …]` → `[channels, groups·batch, …]`: pictures are summed as channels are. */
function picturesAsChannels(lowering: Lowering, x: Value, groups: number): string {
  const [batch = 1, channels = 1, ...rest] = x.shape
  const full = lowering.full(x)
  if (groups === 1) return lowering.emit('Transpose', [full], { perm: [1, 0, 2, 3] })
  const own = Number(channels) / groups
  const split = lowering.reshape(full, [batch, groups, own, ...rest])
  const turned = lowering.emit('Transpose', [split], { perm: [2, 1, 0, 3, 4] })
  return lowering.reshape(turned, [own, times(batch, groups), ...rest])
}

const weightGradientOp = defineOp<GradientForm>({
  name: 'ConvolutionWeightGradient',
  shape: (_, { shape }) => shape,
  cost: (inputs, shape) => macs(operand(inputs, 0).shape, shape),
  // A convolution of the input by the output's gradient, in which strides and dilations have changed places.
  onnx: (lowering, inputs, { tensor, attributes: { stride, padding, dilation, groups } }) => {
    const [gradient, x] = [operand(inputs, 0), operand(inputs, 1)]
    const kernels = lowering.emit('Transpose', [lowering.full(gradient)], { perm: [1, 0, 2, 3] })
    const form = onnxForm({ stride: dilation, padding, dilation: stride, groups })
    const taps = lowering.emit('Conv', [picturesAsChannels(lowering, x, groups), kernels], form)
    const kernel = [2, 3].map((axis) => numberAt(tensor, axis))
    const made = [2, 3].map((axis) => {
      const length = numberAt(x, axis) + 2 * padding - ((numberAt(gradient, axis) - 1) * stride + 1)
      return Math.floor(length / dilation) + 1
    })
    const fits = made.every((size, i) => size === kernel[i])
    const cut = fits
      ? taps
      : lowering.emit('Slice', [
          taps,
          lowering.integers([0, 0]),
          lowering.integers(kernel),
          lowering.integers([2, 3]),
        ])
    return lowering.asFull(lowering.emit('Transpose', [cut], { perm: [1, 0, 2, 3] }), tensor.shape)
  },
})

/** The gradient of a convolution's weight `like`. @param x its input `[batch, in, height, width]` */
export function convolutionWeightGradient(
  gradient: Tensor,
  x: Tensor,
  { like, form }: { like: Tensor; form: ConvolutionForm },
): Tensor {
  return weightGradientOp([gradient, x], { ...form, shape: like.shape })
}
