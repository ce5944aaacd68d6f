import { reshape, softmax } from '../../graph/ops/index.js'
import { scope } from '../../graph/scope.js'
import { linear } from '../../nn/linear.js'
import type { Ranking } from './ranking.js'

/** The paper's prediction layer: softmax over the patches of x·w + b. */
export const predictor: Ranking = ({ index, patches }) =>
  scope('predictors', () => {
    const scores = linear(`${index}`, patches, { out: 1 })
    return softmax(reshape(scores, patches.shape.slice(0, 2)))
  })
