import { reshape, softmax } from '../../graph/ops/index.js'
import { scope } from '../../graph/scope.js'
import type { Tensor } from '../../graph/tensor.js'
import { type Predicting, predicted } from '../prediction-layers/index.js'
import type { Ranking } from './ranking.js'

function logitsOf(index: number, patches: Tensor, predicting: Predicting): Tensor {
  const logits = scope(index, () => predicted(patches, predicting))
  return reshape(logits, patches.shape.slice(0, 2))
}

/**
 * What a prediction layer says of each patch, before the softmax.
 * @param index counts the selections from 0 @param patches `[batch, patches, width]`
 * @returns `[batch, patches]`
 */
export function predictorLogits(index: number, patches: Tensor, predicting: Predicting): Tensor {
  return scope('predictors', () => logitsOf(index, patches, predicting))
}

/** The paper's: softmax over the patches of what a prediction layer says. */
export const predictor: Ranking = ({ index, patches, predicting }) =>
  scope('predictors', () => softmax(logitsOf(index, patches, predicting)))
