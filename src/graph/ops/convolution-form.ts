import { type Dim, elements, type Shape, times } from '../dim.js'
import type { Tensor } from '../tensor.js'

/** How a kernel goes over a picture. */
export interface ConvolutionForm {
  /** Pixels from one position of the kernel to the next. */
  readonly stride: number
  /** Zeros around the picture. */
  readonly padding: number
  /** Pixels from one tap of the kernel to the next. */
  readonly dilation: number
  /** Parts of the channels that don't see each other; as many as channels: depthwise. */
  readonly groups: number
}

export type ConvolutionOptions = Pick<ConvolutionForm, 'stride'> & Partial<ConvolutionForm>

/** The form with what wasn't said: no padding, taps side by side, one group. */
export function completeForm({
  stride,
  padding = 0,
  dilation = 1,
  groups = 1,
}: ConvolutionOptions): ConvolutionForm {
  return { stride, padding, dilation, groups }
}

export function isWhole({ stride, padding, dilation, groups }: ConvolutionForm): boolean {
  return [stride, padding + 1, dilation, groups].every((value) => Number.isInteger(value) && value >= 1)
}

/** How far the taps of a kernel reach, the first included. */
function reach(kernel: number, { dilation }: Pick<ConvolutionForm, 'dilation'>): number {
  return (kernel - 1) * dilation + 1
}

/** How many positions a kernel has along an axis; 0 or less where it doesn't fit. */
export function positions(size: number, kernel: number, form: ConvolutionForm): number {
  return Math.floor((size + 2 * form.padding - reach(kernel, form)) / form.stride) + 1
}

/** The attributes of ONNX's convolutions. */
export function onnxForm({ stride, padding, dilation, groups }: ConvolutionForm) {
  return {
    strides: [stride, stride],
    ...(padding === 0 ? {} : { pads: [padding, padding, padding, padding] }),
    ...(dilation === 1 ? {} : { dilations: [dilation, dilation] }),
    ...(groups === 1 ? {} : { group: groups }),
  }
}

/** Multiply-adds of any product of a convolution: one for each output position, output channel and tap. */
export function macs(output: Shape, weight: Shape): { linear: Dim } {
  return { linear: times(elements(output), elements(weight.slice(1))) }
}

/** Sizes of a map and of a kernel are known when the graph is built. */
export function numberAt({ shape }: Pick<Tensor, 'shape'>, axis: number): number {
  const size = shape[axis]
  if (typeof size !== 'number') throw new Error(`blvit bug: symbolic size on axis ${axis} of a convolution`)
  return size
}
