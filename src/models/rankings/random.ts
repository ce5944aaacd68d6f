import { input, softmax } from '../../graph/ops/index.js'
import type { Ranking } from './ranking.js'

/** Noise from outside, so that a seed decides and every engine agrees. */
export const random: Ranking = ({ index, patches }) =>
  softmax(input(`selection_noise.${index}`, patches.shape.slice(0, 2)))
