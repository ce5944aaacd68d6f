import { elements, sameDim, times } from '../dim.js'
import type { Lowering } from '../lowering.js'
import { defineOp, operand, shapeError } from '../op.js'
import { sizeAt, type Tensor } from '../tensor.js'
import { completeForm, numberAt, onnxForm, positions } from './convolution-form.js'
import { emitTransposed } from './convolution-gradient.js'

/** How a square window goes over a map. */
interface Windows extends Record<string, unknown> {
  /** Side of a window in pixels. */
  readonly kernel: number
  /** Pixels from one window to the next. */
  readonly stride: number
  /** Zeros around the map. */
  readonly padding: number
}

/** A kernel for each pixel of a window, 1 there and 0 elsewhere. `[kernel², 1, kernel, kernel]` */
function pickingKernels(lowering: Lowering, kernel: number): string {
  const pixels = kernel ** 2
  const picks = Array.from({ length: pixels ** 2 }, (_, i) => Number(i % (pixels + 1) === 0))
  return lowering.floats(picks, [pixels, 1, kernel, kernel])
}

/** Rows and columns of windows on a map. */
function gridOf(map: Pick<Tensor, 'shape'>, { kernel, stride, padding }: Windows): readonly [number, number] {
  const form = completeForm({ stride, padding })
  return [positions(numberAt(map, 2), kernel, form), positions(numberAt(map, 3), kernel, form)]
}

function isMap({ shape }: Tensor): boolean {
  return shape.length === 4 && shape.slice(1).every((size) => typeof size === 'number')
}

function isWhole({ kernel, stride, padding }: Windows): boolean {
  return [kernel, stride, padding + 1].every((value) => Number.isInteger(value) && value >= 1)
}

const unfoldOp = defineOp<Windows>({
  name: 'Unfold',
  shape: (inputs, windows) => {
    const map = operand(inputs, 0)
    if (isMap(map) && isWhole(windows)) {
      const [rows, columns] = gridOf(map, windows)
      const pixels = numberAt(map, 1) * windows.kernel ** 2
      if (rows > 0 && columns > 0) return [sizeAt(map, 0), rows * columns, pixels]
    }
    throw shapeError('Unfold', inputs, 'a map [batch, channels, height, width] that a window fits into')
  },
  gradient: (gradient, inputs, { attributes }) => [
    fold(gradient, { ...attributes, like: operand(inputs, 0) }),
  ],
  // Copies in the form of a convolution, each channel as a picture of its own: ONNX Runtime's WebGPU provider is wrong where
  // several kernels share a group of one channel, and strided slices, one for each pixel, take processors longer.
  onnx: (lowering, inputs, { tensor, attributes }) => {
    const map = operand(inputs, 0)
    const [batch, channels] = [sizeAt(tensor, 0), numberAt(map, 1)]
    const single = lowering.reshape(lowering.full(map), [times(batch, channels), 1, ...map.shape.slice(2)])
    const operands = [single, pickingKernels(lowering, attributes.kernel)]
    const picked = lowering.emit('Conv', operands, onnxForm(completeForm(attributes)))
    const flat = lowering.reshape(picked, [batch, sizeAt(tensor, 2), sizeAt(tensor, 1)])
    return lowering.asFull(lowering.emit('Transpose', [flat], { perm: [0, 2, 1] }), tensor.shape)
  },
})

/**
 * Every window of a map as a row of its pixels, windows row by row; they may overlap, and what doesn't fill a stride is
 * left out.
 * @param map `[batch, channels, height, width]`
 * @returns `[batch, windows, channels·kernel²]`, a window's numbers channel by channel, each row by row
 */
export function unfold(
  map: Tensor,
  { kernel, stride, padding = 0 }: { kernel: number; stride: number; padding?: number },
): Tensor {
  return unfoldOp([map], { kernel, stride, padding })
}

const foldOp = defineOp<Windows & { readonly shape: Tensor['shape'] }>({
  name: 'Fold',
  shape: (inputs, { shape, ...windows }) => {
    const [rows, columns] = gridOf({ shape }, windows)
    const windowed = [shape[0] ?? 1, rows * columns, numberAt({ shape }, 1) * windows.kernel ** 2]
    const given = operand(inputs, 0).shape
    if (given.length === 3 && sameDim(elements(given), elements(windowed))) return shape
    throw shapeError('Fold', inputs, `the windows of a map [${shape.join(', ')}]`)
  },
  gradient: (gradient, _, { attributes: { kernel, stride, padding } }) => [
    unfold(gradient, { kernel, stride, padding }),
  ],
  onnx: (lowering, inputs, { tensor, attributes }) => {
    const { kernel } = attributes
    const [rows, columns] = gridOf(tensor, attributes)
    const pictures = times(sizeAt(tensor, 0), sizeAt(tensor, 1))
    const turned = lowering.emit('Transpose', [lowering.full(operand(inputs, 0))], { perm: [0, 2, 1] })
    const single = [pictures, 1, ...tensor.shape.slice(2)]
    const made = emitTransposed(
      lowering,
      {
        map: lowering.reshape(turned, [pictures, kernel ** 2, rows, columns]),
        kernels: pickingKernels(lowering, kernel),
        positions: [rows, columns],
        kernel: [kernel, kernel],
        into: single,
      },
      completeForm(attributes),
    )
    return lowering.asFull(lowering.reshape(made, tensor.shape), tensor.shape)
  },
})

/** The opposite of {@link unfold}: each window is put back and what lies on one pixel is added. @param options `like`: the map */
function fold(windows: Tensor, { like, ...form }: Windows & { like: Tensor }): Tensor {
  return foldOp([windows], { ...form, shape: like.shape })
}
