import { cifarTeacher } from './cifar-teacher.js'

/** The paper's proportions: E-blocks of a quarter of the width after a first full layer, two layers between two selections. */
export const cifarBigLittle = {
  ...cifarTeacher.config,
  model_type: 'blvit',
  full_layers: 1,
  predictor_after: [1, 3, 5],
  keep_ratio: 0.25,
  little: { embed_dim: 32, num_heads: 1, layers: [2, 3, 4, 5, 6] },
} as const

/** A regular expression for the weights that it has besides its teacher's. */
export const bigLittleParts = String.raw`\.little\.|^predictors\.|\.(gamma|alpha)\d$`
