import {
  add,
  divide,
  exponential,
  fixedParameter,
  gelu,
  matmul,
  multiply,
  reduceSum,
  reshape,
  scaleShift,
  subtract,
} from '../../graph/ops/index.js'
import { scope } from '../../graph/scope.js'
import { sizeAt, type Tensor } from '../../graph/tensor.js'
import { layerNorm } from '../../nn/layer-norm.js'
import { linear, packedLinear, widthOf } from '../../nn/linear.js'

/** m ÷ E, random features for each channel. */
const featureRatio = 0.5

/** Of the official code: keeps a division by nothing finite. */
const normaliserEpsilon = 1e-8

/**
 * φ(z) = exp(w·z − ‖z‖²/2)/√m, positive random features, whose products stand for the exponential of queries times keys
 * (Choromanski et al. 2021, lemma 1). @param z `[batch, tokens, E]` @param w `[m, E]` @returns `[batch, tokens, m]`
 */
function features(z: Tensor, w: Tensor): Tensor {
  // a stack of one: a product of attention, not a layer
  const projected = matmul(z, reshape(w, [1, ...w.shape]), { transposeB: true })
  const halfSquares = scaleShift(reduceSum(multiply(z, z), { axes: [2] }), { scale: 0.5 })
  const scale = 1 / Math.sqrt(widthOf(projected))
  return scaleShift(exponential(subtract(projected, halfSquares)), { scale })
}

/** Attention in a time that is linear in tokens: keys and values meet before any query sees them. */
function linearAttention(q: Tensor, k: Tensor, v: Tensor): Tensor {
  const width = widthOf(v)
  const count = Math.floor(featureRatio * width)
  const w = fixedParameter('w', [count, width], { kind: 'orthogonalRows', length: Math.sqrt(count) })
  const [ofQueries, ofKeys] = [features(q, w), features(k, w)]
  // Σₜ φ(kₜ), [batch, m, 1]
  const keySum = reshape(reduceSum(ofKeys, { axes: [1] }), [sizeAt(k, 0), count, 1])
  // Σₜ φ(kₜ)·vₜᵀ, [batch, m, E]
  const keyValues = matmul(ofKeys, v, { transposeA: true })
  const normaliser = scaleShift(matmul(ofQueries, keySum), { shift: normaliserEpsilon })
  return divide(matmul(ofQueries, keyValues), normaliser)
}

/**
 * The performer of T2T-ViT (Yuan et al. 2021, §3.1 and the official code): one head of linear attention. Since the widths
 * before and after it differ, the values are what is added to.
 * @param windows `[batch, tokens, any width]` @returns `[batch, tokens, width]`
 */
export function performer(
  windows: Tensor,
  { width: out, layerNormEpsilon: epsilon }: { width: number; layerNormEpsilon: number },
): Tensor {
  const normed = layerNorm('norm1', windows, { epsilon })
  // packed in this order in official checkpoints
  const { k, q, v } = packedLinear(
    'kqv',
    { k: normed, q: normed, v: normed },
    { width: widthOf(windows), out },
  )
  const attended = add(v, linear('proj', linearAttention(q, k, v), { out }))
  const normedAgain = layerNorm('norm2', attended, { epsilon })
  const update = scope('mlp', () => linear('2', gelu(linear('0', normedAgain, { out })), { out }))
  return add(attended, update)
}
