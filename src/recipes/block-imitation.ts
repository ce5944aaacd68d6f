import type { Recipe } from './recipe.js'

/** The first stage of `distill` alone: quick, the P-blocks stay the teacher's to the bit; weak below keep ratio 0.5. */
export const blockImitation: Recipe = {
  about: 'E-blocks and predictors learn from the P-blocks, which stay as they are',
  stages: [{ objective: 'block imitation', pictures: 10_800, learningRate: 2e-3 }],
}
