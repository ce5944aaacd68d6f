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

// of DynamicViT's code: a token that sees nobody would be divided by 0
const leastSeen = 1e-6

/** 1 on the diagonal. `[tokens, tokens]` */
function identity(tokens: number): Tensor {
  const places = Array.from({ length: tokens }, (_, i) => i)
  return equal(table(places, [tokens, 1]), table(places, [1, tokens]))
}

/** d^-½·q·kᵀ of each head. `[batch, heads, queries, tokens]` */
function scores({ k, heads }: AttentionView, queries: Tensor): Tensor {
  const width = widthOf(k) / heads
  const split = (x: Tensor) => reshape(x, [sizeAt(x, 0), sizeAt(x, 1), heads, width])
  const products = matmul(transpose(split(queries), [0, 2, 1, 3]), transpose(split(k), [0, 2, 3, 1]))
  return scaleShift(products, { scale: width ** -0.5 })
}

interface MaskedMapOptions {
  /** Default: all. `[batch, queries, innerWidth]` */
  readonly queries?: Tensor
  /** Whether a token that was let go sees itself; for as many queries as tokens. Default true. */
  readonly seesItself?: boolean
}

/**
 * A map in which nobody looks at tokens that were let go, but for these themselves (Rao et al. 2021, §3.3, and the form of
 * its official code, and of ATS): with M = m_key + (1 − m_key)·I and E = exp(S − max S)·M it is (E + ε/N) ÷ (Σ E + ε).
 * @param kept 1 for tokens that count, 0 for the others; gradients flow into it. `[batch, tokens]`
 * @returns `[batch, heads, queries, tokens]`
 */
export function maskedMap(
  view: AttentionView,
  kept: Tensor,
  { queries = view.q, seesItself = true }: MaskedMapOptions = {},
): Tensor {
  const tokens = sizeAt(kept, 1)
  const keys = reshape(kept, [sizeAt(kept, 0), 1, 1, tokens])
  const withItself = () => {
    const diagonal = identity(Number(tokens))
    return add(multiply(keys, scaleShift(diagonal, { scale: -1, shift: 1 })), diagonal)
  }
  const all = scores(view, queries)
  const weights = multiply(exponential(subtract(all, reduceMax(all))), seesItself ? withItself() : keys)
  const total = reduceSum(weights, { axes: [-1] })
  const least = divideBySize(constant(leastSeen, [1]), tokens)
  return divide(add(weights, least), scaleShift(total, { shift: leastSeen }))
}
