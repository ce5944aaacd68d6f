import { blockImitation } from './block-imitation.js'
import { distill } from './distill.js'
import { endToEnd } from './end-to-end.js'
import { fromScratch } from './from-scratch.js'
import { paper } from './paper.js'
import type { Recipe } from './recipe.js'

/** Every recipe under the name that users type. Adding one is its file and a line here. */
export const recipes: Readonly<Record<string, Recipe>> = {
  distill,
  'block-imitation': blockImitation,
  'end-to-end': endToEnd,
  'from-scratch': fromScratch,
  paper,
}
