import { type Initialiser, truncatedNormal } from '../graph/initialiser.js'
import { attention as attentionOp, queryAttention, slice } from '../graph/ops/index.js'
import { atScope, currentScope, scope } from '../graph/scope.js'
import type { Tensor } from '../graph/tensor.js'
import { linear, packedLinear, widthOf } from './linear.js'

/** What an attention layer gives: its output, and for those who ask the CLS token's view of the tokens. */
export interface Attended {
  /** `[batch, queries, width]` */
  readonly output: Tensor
  /**
   * The attention that the first query, the CLS token, pays to each key, averaged over the heads:
   * `[batch, keys]`. Built only when called, because it costs an extra product.
   */
  readonly clsAttention: () => Tensor
}

export interface AttentionOptions {
  readonly heads: number
  /** What the heads share; default: the tokens' width. */
  readonly innerWidth?: number
  /** Of the output map's weight; default: truncated normal. */
  readonly projInitialiser?: Initialiser
}

/**
 * Multi-head attention with timm's parameters `name.qkv` and `name.proj`.
 * @param tokens `queries [batch, queries, width]` ask, `keys [batch, keys, width]` answer; in plain
 *   self-attention both are the same tensor
 */
export function attention(
  name: string,
  tokens: { queries: Tensor; keys: Tensor },
  options: AttentionOptions,
): Attended {
  const { queries, keys } = tokens
  const width = widthOf(keys)
  const { heads, innerWidth = width, projInitialiser = truncatedNormal } = options
  return scope(name, () => {
    const here = currentScope()
    const { q, k, v } = packedLinear('qkv', { q: queries, k: keys, v: keys }, { width, out: innerWidth })
    return {
      output: linear('proj', attentionOp(q, k, v, { heads }), {
        out: width,
        initialiser: projInitialiser,
      }),
      clsAttention: () => atScope(here, () => queryAttention(slice(q, { axis: 1, end: 1 }), k, { heads })),
    }
  })
}
