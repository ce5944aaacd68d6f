import {
  add,
  divideBySize,
  logarithm,
  maximum,
  multiply,
  reduceSum,
  reshape,
  scaleShift,
} from '../../graph/ops/index.js'
import { sizeAt, type Tensor } from '../../graph/tensor.js'

// A softmax in float32 can reach 0, whose logarithm is no number.
const leastScore = 1e-12

/**
 * Cross-entropy of scores of patches with a distribution over them, averaged over pictures and selections: their KL divergence
 * and the entropy of the target, which nothing that learns can change.
 * @param scores of each selection, in patch order, after softmax. `[batch, patches]` @param target `[batch, patches]`
 * @returns `[1]`
 */
export function rankingLoss(scores: readonly Tensor[], target: Tensor): Tensor {
  const losses = scores.map((ofOne) => {
    const logs = multiply(target, logarithm(maximum(ofOne, leastScore)))
    return scaleShift(divideBySize(reshape(reduceSum(logs), [1]), sizeAt(target, 0)), { scale: -1 })
  })
  const [first, ...others] = losses
  if (!first) throw new Error('blvit bug: a student without selections')
  return scaleShift(others.reduce(add, first), { scale: 1 / losses.length })
}
