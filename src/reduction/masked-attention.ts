import {
  add,
  divide,
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

// of DynamicViT's code: a token that sees nobody would be divided by 0
const leastSeen = 1e-6

/** 1 on the diagonal. `[tokens, tokens]` */
export function identity(tokens: number): Tensor {
  const places = Array.from({ length: tokens }, (_, i) => i)
  return equal(table(places, [tokens, 1]), table(places, [1, tokens]))
}

/** d^-½·q·kᵀ of each head. `[batch, heads, tokens, tokens]` */
export function scores({ q, k, heads }: AttentionView): Tensor {
  const width = widthOf(q) / heads
  const split = (x: Tensor) => reshape(x, [sizeAt(x, 0), sizeAt(x, 1), heads, width])
  const products = matmul(transpose(split(q), [0, 2, 1, 3]), transpose(split(k), [0, 2, 3, 1]))
  return scaleShift(products, { scale: width ** -0.5 })
}

/**
 * A map in which nobody looks at tokens that were let go, but for these themselves (Rao et al. 2021, §3.3, and the form of
 * its official code): with M = m_key + (1 − m_key)·I and E = exp(S − max S)·M it is (E + ε/N) ÷ (Σ E + ε).
 * @param kept 1 for tokens that count, 0 for the others; gradients flow into it. `[batch, tokens]`
 * @returns `[batch, heads, tokens, tokens]`
 */
export function maskedMap(view: AttentionView, kept: Tensor): Tensor {
  const tokens = Number(sizeAt(kept, 1))
  const diagonal = identity(tokens)
  const keys = reshape(kept, [sizeAt(kept, 0), 1, 1, tokens])
  const seen = add(multiply(keys, scaleShift(diagonal, { scale: -1, shift: 1 })), diagonal)
  const all = scores(view)
  const weights = multiply(exponential(subtract(all, reduceMax(all))), seen)
  const total = reduceSum(weights, { axes: [-1] })
  return divide(scaleShift(weights, { shift: leastSeen / tokens }), scaleShift(total, { shift: leastSeen }))
}
