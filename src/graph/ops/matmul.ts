import { elements, sameDim, times } from '../dim.js'
import type { Lowering, Value } from '../lowering.js'
import { broadcast, defineOp, operand, shapeError } from '../op.js'
import { sizeAt, type Tensor } from '../tensor.js'
import { sumTo } from './broadcasting.js'
import { reshape } from './layout.js'

interface Transposes {
  /** Use the transpose of `a` (its last two axes). */
  readonly transposeA?: boolean
  readonly transposeB?: boolean
}

interface MatmulOptions extends Transposes {
  /** Another op of the graph makes the same product and counts it: an engine computes it once (false). */
  readonly countedElsewhere?: boolean
}

const expected =
  'a [..., m, k] and a matrix b [k, n], or stacks of matrices [..., m, k] and [..., k, n] that broadcast to each other'

/** A matrix with its last two axes swapped, or as it is. */
function oriented(lowering: Lowering, x: Value, transpose: boolean): string {
  const name = lowering.full(x)
  if (!transpose) return name
  const rank = x.shape.length
  const perm = x.shape.map((_, axis) => (axis < rank - 2 ? axis : 2 * rank - 3 - axis))
  return lowering.emit('Transpose', [name], { perm })
}

const matmulOp = defineOp<Required<Transposes> & MatmulOptions & Record<string, unknown>>({
  name: 'MatMul',
  shape: (inputs, { transposeA, transposeB }) => {
    const [a, b] = [operand(inputs, 0), operand(inputs, 1)]
    const stacked = b.shape.length > 2
    const leading =
      stacked && a.shape.length >= 2 ? broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2)) : undefined
    const fits = stacked
      ? leading !== undefined
      : b.shape.length === 2 && a.shape.length >= 1 && (!transposeA || a.shape.length === 2)
    if (!fits || !sameDim(sizeAt(a, transposeA ? -2 : -1), sizeAt(b, transposeB ? -1 : -2))) {
      throw shapeError('MatMul', inputs, expected)
    }
    const columns = sizeAt(b, transposeB ? -2 : -1)
    return transposeA || stacked
      ? [...(leading ?? []), sizeAt(a, transposeA ? -1 : -2), columns]
      : [...a.shape.slice(0, -1), columns]
  },
  // A product with one matrix is a linear map or its gradient; a product of stacks belongs to attention.
  cost: (inputs, output, { transposeA, countedElsewhere }) => {
    if (countedElsewhere) return {}
    const macs = times(elements(output), sizeAt(operand(inputs, 0), transposeA ? -2 : -1))
    return operand(inputs, 1).shape.length === 2 ? { linear: macs } : { attention: macs }
  },
  gradient: (gradient, inputs, { attributes: { transposeA, transposeB } }) => {
    const [a, b] = [operand(inputs, 0), operand(inputs, 1)]
    const ofA = transposeA
      ? matmul(b, gradient, { transposeA: transposeB, transposeB: true })
      : matmul(gradient, b, { transposeB: !transposeB })
    if (b.shape.length > 2) {
      const ofB = transposeB
        ? matmul(gradient, a, { transposeA: true, transposeB: transposeA })
        : matmul(a, gradient, { transposeA: !transposeA })
      return [sumTo(ofA, a.shape), sumTo(ofB, b.shape)]
    }
    // Of a matrix that many rows met: the sum over all of them is one product of flat rows.
    const [rows, gradientRows] = [flatRows(a), flatRows(gradient)]
    const ofB = transposeB
      ? matmul(gradientRows, rows, { transposeA: true, transposeB: transposeA })
      : matmul(rows, gradientRows, { transposeA: !transposeA })
    return [ofA, ofB]
  },
  onnx: (lowering, inputs, { tensor, attributes: { transposeA, transposeB } }) => {
    const [a, b] = [operand(inputs, 0), operand(inputs, 1)]
    if (b.shape.length > 2) {
      const operands = [oriented(lowering, a, transposeA), oriented(lowering, b, transposeB)]
      return lowering.asFull(lowering.emit('MatMul', operands), tensor.shape)
    }
    const operands = [transposeA ? lowering.full(a) : lowering.rows(a), lowering.full(b)]
    const product =
      transposeA || transposeB
        ? lowering.emit('Gemm', operands, { transA: Number(transposeA), transB: Number(transposeB) })
        : lowering.emit('MatMul', operands)
    return lowering.asRows(product, tensor.shape)
  },
})

/**
 * The matrix product `a·b`, of either or both the transpose if asked for.
 * @param a `[..., m, k]`; with a matrix `b` any number of leading axes, which are all rows
 * @param b `[k, n]`, or `[..., k, n]` with leading axes that broadcast with those of `a`
 * @returns `[..., m, n]`
 */
export function matmul(
  a: Tensor,
  b: Tensor,
  { transposeA = false, transposeB = false, countedElsewhere = false }: MatmulOptions = {},
): Tensor {
  // a stack of one, so that in the gradient, too, both are stacks
  const left = a.shape.length === 2 && b.shape.length > 2 ? reshape(a, [1, ...a.shape]) : a
  return matmulOp([left, b], { transposeA, transposeB, ...(countedElsewhere ? { countedElsewhere } : {}) })
}

/** `[..., width]` → `[rows, width]` */
export function flatRows(x: Tensor): Tensor {
  return x.shape.length === 2 ? x : reshape(x, [elements(x.shape.slice(0, -1)), sizeAt(x, -1)])
}
