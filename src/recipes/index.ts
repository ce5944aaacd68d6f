import { blockImitation } from './block-imitation.js'
import { distill } from './distill.js'
import type { Recipe } from './recipe.js'

/** Every recipe under the name that users type. Adding one is its file and a line here. */
export const recipes: Readonly<Record<string, Recipe>> = {
  distill,
  'block-imitation': blockImitation,
}
