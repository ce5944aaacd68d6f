import type { Recipe } from './recipe.js'

/**
 * The default of `blvit distill`: first every E-block learns alone to do what its P-block does, then all together learn
 * to answer as the teacher does with few patches. Without the first stage the second one crawls.
 */
export const distill: Recipe = {
  about: 'A big.LITTLE model from a plain ViT and pictures without labels',
  stages: [
    { objective: 'block imitation', pictures: 10_800, learningRate: 2e-3 },
    {
      objective: 'end to end',
      pictures: 29_000,
      learningRate: 5e-4,
      keepRatio: [0.25, 0.375, 0.5, 0.75, 1],
      loss: { tokens: 2.5, classToken: 2.5, logits: 1, ranking: 0.1 },
      clipNorm: 1,
      // a few thousand pictures would pull the P-blocks away from what a million taught them
      parameters: [
        { match: String.raw`\.little\.|^predictors\.|\.(gamma|alpha)\d$` },
        { match: '.', learningRateScale: 0.1 },
      ],
    },
  ],
}
