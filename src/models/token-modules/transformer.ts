import { add, attention } from '../../graph/ops/index.js'
import { scope } from '../../graph/scope.js'
import type { Tensor } from '../../graph/tensor.js'
import { layerNorm } from '../../nn/layer-norm.js'
import { linear, packedLinear, widthOf } from '../../nn/linear.js'
import { mlp } from '../../nn/mlp.js'

/**
 * The transformer layer of T2T-ViT_t (Yuan et al. 2021, §3.1): one head of softmax attention over all windows, whose scale
 * follows from the width before it. Since the widths before and after it differ, the values are what is added to.
 * @param windows `[batch, tokens, any width]` @returns `[batch, tokens, width]`
 */
export function transformer(
  windows: Tensor,
  { width: out, layerNormEpsilon: epsilon }: { width: number; layerNormEpsilon: number },
): Tensor {
  const width = widthOf(windows)
  const normed = layerNorm('norm1', windows, { epsilon })
  const attended = scope('attn', () => {
    const { q, k, v } = packedLinear('qkv', { q: normed, k: normed, v: normed }, { width, out, bias: false })
    const mixed = attention(q, k, v, { heads: 1, scale: 1 / Math.sqrt(width) })
    return add(v, linear('proj', mixed, { out }))
  })
  return add(attended, mlp('mlp', layerNorm('norm2', attended, { epsilon }), { hidden: out }))
}
