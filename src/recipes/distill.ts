import { blockImitation } from './block-imitation.js'
import { endToEnd } from './end-to-end.js'
import type { Recipe } from './recipe.js'

/**
 * The default of `blvit distill`: first every E-block learns alone to do what its P-block does, then all together learn
 * to answer as the teacher does with few patches. Without the first stage the second one crawls.
 */
export const distill: Recipe = {
  about: 'A big.LITTLE model from a plain ViT and pictures without labels',
  stages: [...blockImitation.stages, ...endToEnd.stages],
}
