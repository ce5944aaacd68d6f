import type { Recipe } from './recipe.js'

/**
 * Goes on where `distill` ends: the P-blocks learn too, at a tenth of the rate, to work beside E-blocks and on few patches, and the
 * mean of the weights over the last steps is kept. It lifts small keep ratios, and costs agreement with the teacher at large ones,
 * as the P-blocks are no longer its own (docs/results.md).
 */
export const refine: Recipe = {
  about: 'A distilled big.LITTLE model goes on learning, its P-blocks too, for small keep ratios',
  stages: [
    {
      objective: 'end to end',
      pictures: 25_600,
      learningRate: 4e-4,
      keepRatio: [0.25, 0.375, 0.375, 0.5, 0.5, 0.75],
      loss: { tokens: 2.5, classToken: 2.5, logits: 1, ranking: 0.1 },
      clipNorm: 1,
      emaDecay: 0.995,
      parameters: [
        { match: String.raw`\.little\.|^predictors\.|\.(gamma|alpha)\d$`, learningRateScale: 1 },
        { match: '.', learningRateScale: 0.1 },
      ],
    },
  ],
}
