import { reshape, softmax } from '../../graph/ops/index.js'
import { scope } from '../../graph/scope.js'
import type { Tensor } from '../../graph/tensor.js'
import { linear } from '../../nn/linear.js'
import type { Ranking } from './ranking.js'

function logitsOf(index: number, patches: Tensor): Tensor {
  return reshape(linear(`${index}`, patches, { out: 1 }), patches.shape.slice(0, 2))
}

/**
 * What a prediction layer says of each patch, before the softmax: x·w + b.
 * @param index counts the selections from 0 @param patches `[batch, patches, width]`
 * @returns `[batch, patches]`
 */
export function predictorLogits(index: number, patches: Tensor): Tensor {
  return scope('predictors', () => logitsOf(index, patches))
}

/** The paper's prediction layer: softmax over the patches of x·w + b. */
export const predictor: Ranking = ({ index, patches }) =>
  scope('predictors', () => softmax(logitsOf(index, patches)))
