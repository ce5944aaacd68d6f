import { add, divide, reduceSum, slice } from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import type { Tensor } from '../graph/tensor.js'

/**
 * Whether a layer, counted from 1, lies in the later half. Where the class token looks there tells which patches matter;
 * in the first layers it looks elsewhere, and patches chosen by that are worse than random ones.
 */
export function isLate(layer: number, { depth }: { readonly depth: number }): boolean {
  return layer > depth / 2
}

/**
 * The class token's attention to the patches, averaged over layers, as a distribution: what predictors learn from.
 * @param attentions of the late layers, each `[batch, tokens]` @param prefix tokens before the patches
 * @returns `[batch, patches]`
 */
export function lateAttention(attentions: readonly Tensor[], prefix: number): Tensor {
  return scope('late_attention', () => {
    const [first, ...others] = attentions.map((received) => slice(received, { axis: 1, start: prefix }))
    if (!first) throw new Error('blvit bug: a teacher without layers')
    const total = others.reduce(add, first)
    return divide(total, reduceSum(total, { axes: [-1] }))
  })
}
