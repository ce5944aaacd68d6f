import type { Recipe } from './recipe.js'

/**
 * For a bLViT whose blocks have learned: its predictors are fitted anew to the teacher's late attention, or those of another
 * kind are (`--set predictor=mlp`). Everything else stays to the bit, so what the model does at keep ratio 1 hardly changes.
 */
export const predictor: Recipe = {
  about: 'Predictors alone learn where the teacher looks in its later layers; blocks stay as they are',
  stages: [
    {
      objective: 'predictors',
      pictures: 20_000,
      learningRate: 2e-3,
      weightDecay: 0.05,
      keepRatio: [0.25, 0.375, 0.5, 0.75],
    },
  ],
}
