import type { Recipe } from './recipe.js'

/** The first stage of `distill` alone: quick, the P-blocks stay the teacher's to the bit; weak below keep ratio 0.5. */
export const blockImitation: Recipe = {
  about: 'E-blocks and predictors learn from the P-blocks, which stay as they are',
  stages: [{ objective: 'block imitation', pictures: 10_800, learningRate: 2e-3 }],
}

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

/**
 * The default of `blvit distill`: first every E-block learns alone to do what its P-block does, then all together learn
 * to answer as the teacher does with few patches. Without the first stage the second one crawls.
 */
export const distill: Recipe = {
  about: 'A big.LITTLE model from a plain ViT and pictures without labels',
  stages: [...blockImitation.stages, ...endToEnd.stages],
}
