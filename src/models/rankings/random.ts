import { noiseInput, softmax } from '../../graph/ops/index.js'
import type { Ranking } from './ranking.js'

/** Noise: a seed decides, and every engine agrees. */
export const random: Ranking = ({ index, patches }) =>
  softmax(noiseInput(`selection_noise.${index}`, patches.shape.slice(0, 2)))
