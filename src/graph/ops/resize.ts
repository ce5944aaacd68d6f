import { elements } from '../dim.js'
import type { Lowering } from '../lowering.js'
import { defineOp, operand, shapeError } from '../op.js'
import { sizeAt, type Tensor } from '../tensor.js'

/** What a pixel counts for at a distance: of two pixels beside a place, or of four. */
const kernels = {
  bilinear: { taps: 2, weight: (distance: number) => 1 - distance },
  // Keys' cubic convolution with PyTorch's a = −0.75
  bicubic: {
    taps: 4,
    weight: (x: number) => (x <= 1 ? (1.25 * x - 2.25) * x * x + 1 : -0.75 * (((x - 5) * x + 8) * x - 4)),
  },
} as const

type Interpolation = keyof typeof kernels

/** How much each of `from` pixels counts in each of `to`: `[to, from]`. */
function weights(from: number, to: number, interpolation: Interpolation): number[][] {
  const { taps, weight } = kernels[interpolation]
  return Array.from({ length: to }, (_, i) => {
    // centres of pixels lie at halves (PyTorch's align_corners=False)
    const centre = ((i + 0.5) * from) / to - 0.5
    const source = interpolation === 'bilinear' ? Math.max(0, centre) : centre
    const first = Math.floor(source) - (taps / 2 - 1)
    const row = new Array<number>(from).fill(0)
    for (let place = first; place < first + taps; place++) {
      // what lies outside is the border
      const inside = Math.min(Math.max(place, 0), from - 1)
      row[inside] = (row[inside] ?? 0) + weight(Math.abs(source - place))
    }
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
  readonly interpolation: Interpolation
  /** The gradient of the resizing that led to this size from `height` and `width`. */
  readonly backward: boolean
}

const resizeOp = defineOp<Attributes>({
  name: 'Resize',
  shape: (inputs, { height, width }) => {
    const [batch, channels, rows, columns] = operand(inputs, 0).shape
    const whole = [height, width].every((size) => Number.isInteger(size) && size >= 1)
    const known = typeof rows === 'number' && rows >= 1 && typeof columns === 'number' && columns >= 1
    if (!whole || !known || batch === undefined || channels === undefined) {
      throw shapeError('Resize', inputs, `[batch, channels, rows, columns] to make ${height}×${width} of`)
    }
    return [batch, channels, height, width]
  },
  cost: (_, output) => ({ resized: elements(output) }),
  gradient: (gradient, inputs, { attributes: { interpolation, backward } }) => {
    const [height, width] = [Number(sizeAt(operand(inputs, 0), 2)), Number(sizeAt(operand(inputs, 0), 3))]
    return [resized(gradient, { height, width, interpolation, backward: !backward })]
  },
  // Each axis is a product with a matrix, which every target computes, and its gradient with the transposed one.
  onnx: (lowering, inputs, { tensor, attributes: { height, width, interpolation, backward } }) => {
    const x = operand(inputs, 0)
    const [rows, columns] = [Number(x.shape[2]), Number(x.shape[3])]
    const along = (from: number, to: number) =>
      backward ? transposed(weights(to, from, interpolation)) : weights(from, to, interpolation)
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

/** Rows and columns of a resized map. */
interface MapSize {
  readonly height: number
  readonly width: number
}

/**
 * A map at another size, bilinear without anti-aliasing, pixels' centres at halves: PyTorch's
 * `interpolate(mode='bilinear', align_corners=False)`.
 * @param x `[batch, channels, rows, columns]` @returns `[batch, channels, height, width]`
 */
export function resizeBilinear(x: Tensor, { height, width }: MapSize): Tensor {
  return resized(x, { height, width, interpolation: 'bilinear', backward: false })
}

/** The same, bicubic (a = −0.75): PyTorch's `interpolate(mode='bicubic', align_corners=False)`. */
export function resizeBicubic(x: Tensor, { height, width }: MapSize): Tensor {
  return resized(x, { height, width, interpolation: 'bicubic', backward: false })
}
