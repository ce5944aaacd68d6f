import {
  add,
  constant,
  divide,
  divideBySize,
  equal,
  exponential,
  matmul,
  multiply,
  reduceMax,
  reduceSum,
  reshape,
  scaleShift,
  subtract,
  table,
  transpose,
} from '../graph/ops/index.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import type { AttentionView } from '../nn/attention.js'
import { widthOf } from '../nn/linear.js'

/** What the released code adds so that no sum is 0. */
const epsilon = 1e-6

/** 1 where a token meets itself. `[tokens, tokens]` */
export function diagonal(tokens: number): Tensor {
  const places = Array.from({ length: tokens }, (_, i) => i)
  return equal(table(places, [tokens, 1]), table(places, [1, tokens]))
}

/** d^-½·q·kᵀ of each head. @param queries rows of `q`; default: all @returns `[batch, heads, rows, keys]` */
export function attentionScores({ q, k, heads }: AttentionView, queries = q): Tensor {
  const headWidth = widthOf(k) / heads
  const perHead = (x: Tensor) =>
    transpose(reshape(x, [sizeAt(x, 0), sizeAt(x, 1), heads, headWidth]), [0, 2, 1, 3])
  const products = matmul(perHead(queries), perHead(k), { transposeB: true })
  return scaleShift(products, { scale: 1 / Math.sqrt(headWidth) })
}

/**
 * The softmax by which DynamicViT and its successors train: (E + ε/N) ÷ (ΣE + ε), E = exp(S − max S)·mask. Of N keys the
 * masked ones count in the maximum and in ε/N, so masks differ from fewer keys by up to ε ÷ ΣE.
 * @param mask 1 for keys that count. `[batch, keys]`, or `[batch, 1, rows, keys]` where each query has its own @param queries rows of `q`; default: all
 * @returns `[batch, heads, rows, keys]`
 */
export function maskedSoftmaxMap(view: AttentionView, mask: Tensor, queries = view.q): Tensor {
  const [batch, keys] = [sizeAt(view.k, 0), sizeAt(view.k, 1)]
  const scores = attentionScores(view, queries)
  const exponentials = multiply(
    exponential(subtract(scores, reduceMax(scores))),
    mask.shape.length === 2 ? reshape(mask, [batch, 1, 1, keys]) : mask,
  )
  const share = divideBySize(constant(epsilon, [1]), keys)
  const total = scaleShift(reduceSum(exponentials, { axes: [-1] }), { shift: epsilon })
  return divide(add(exponentials, share), total)
}
