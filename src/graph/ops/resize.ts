import { elements } from '../dim.js'
import type { Lowering } from '../lowering.js'
import { defineOp, operand, shapeError } from '../op.js'
import { sizeAt, type Tensor } from '../tensor.js'

/** How much each of `from` pixels counts in each of `to`: `[to, from]`, at most two of a row above 0. */
function weights(from: number, to: number): number[][] {
  return Array.from({ length: to }, (_, i) => {
    // centres of pixels lie at halves (PyTorch's align_corners=False); what lies outside is the border
    const source = Math.max(0, ((i + 0.5) * from) / to - 0.5)
    const lower = Math.min(Math.floor(source), from - 1)
    const upper = Math.min(lower + 1, from - 1)
    const row = new Array<number>(from).fill(0)
    row[lower] = (row[lower] ?? 0) + 1 - (source - lower)
    row[upper] = (row[upper] ?? 0) + source - lower
    return row
  })
}

const transposed = (matrix: readonly (readonly number[])[]) =>
  (matrix[0] ?? []).map((_, i) => matrix.map((row) => row[i] ?? 0))

function tableOf(lowering: Lowering, matrix: readonly (readonly number[])[]): string {
  return lowering.floats(matrix.flat(), [matrix.length, matrix[0]?.length ?? 0])
}

interface Attributes extends Record<string, unknown> {
  readonly height: number
  readonly width: number
  /** The gradient of the resizing that led to this size from `height` and `width`. */
  readonly backward: boolean
}

const resizeOp = defineOp<Attributes>({
  name: 'ResizeBilinear',
  shape: (inputs, { height, width }) => {
    const [batch, channels, rows, columns] = operand(inputs, 0).shape
    const whole = [height, width].every((size) => Number.isInteger(size) && size >= 1)
    const known = typeof rows === 'number' && rows >= 1 && typeof columns === 'number' && columns >= 1
    if (!whole || !known || batch === undefined || channels === undefined) {
      throw shapeError(
        'ResizeBilinear',
        inputs,
        `[batch, channels, rows, columns] to make ${height}×${width} of`,
      )
    }
    return [batch, channels, height, width]
  },
  cost: (_, output) => ({ resized: elements(output) }),
  gradient: (gradient, inputs, { attributes: { backward } }) => {
    const [height, width] = [Number(sizeAt(operand(inputs, 0), 2)), Number(sizeAt(operand(inputs, 0), 3))]
    return [resized(gradient, { height, width, backward: !backward })]
  },
  // Each axis is a product with a matrix, which every target computes, and its gradient with the transposed one.
  onnx: (lowering, inputs, { tensor, attributes: { height, width, backward } }) => {
    const x = operand(inputs, 0)
    const [rows, columns] = [Number(x.shape[2]), Number(x.shape[3])]
    const along = (from: number, to: number) => (backward ? transposed(weights(to, from)) : weights(from, to))
    const wide =
      columns === width && !backward
        ? lowering.full(x)
        : lowering.emit('MatMul', [lowering.full(x), tableOf(lowering, transposed(along(columns, width)))])
    const both =
      rows === height && !backward
        ? wide
        : lowering.emit('MatMul', [tableOf(lowering, along(rows, height)), wide])
    return lowering.asFull(both, tensor.shape)
  },
})

function resized(x: Tensor, attributes: Attributes): Tensor {
  return resizeOp([x], attributes)
}

/**
 * A map at another size, bilinear without anti-aliasing, pixels' centres at halves: PyTorch's
 * `interpolate(mode='bilinear', align_corners=False)`.
 * @param x `[batch, channels, rows, columns]` @returns `[batch, channels, height, width]`
 */
export function resizeBilinear(x: Tensor, { height, width }: { height: number; width: number }): Tensor {
  return resized(x, { height, width, backward: false })
}
