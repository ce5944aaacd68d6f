import type { Recipe } from './recipe.js'

/**
 * The second stage of `distill` alone, to go on with a model that has had the first: it lifts small keep ratios most,
 * and its losses fall for as long as anyone has trained it. The P-blocks stay the teacher's to the bit: a few thousand
 * pictures would pull them away from what a million taught them, which costs accuracy at large keep ratios; what it gives at
 * small ones was too little to be seen (docs/training.md).
 */
export const endToEnd: Recipe = {
  about: 'E-blocks and predictors learn together to answer as the teacher does with few patches',
  stages: [
    {
      objective: 'end to end',
      pictures: 29_000,
      learningRate: 5e-4,
      keepRatio: [0.25, 0.375, 0.5, 0.75],
      loss: { tokens: 2.5, classToken: 2.5, logits: 1, ranking: 0.1 },
      clipNorm: 1,
      parameters: [
        { match: String.raw`\.little\.|^predictors\.|\.(gamma|alpha)\d$`, learningRateScale: 1 },
        { match: '.', frozen: true },
      ],
    },
  ],
}
