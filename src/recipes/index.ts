import { aVit } from './a-vit.js'
import { adaVit } from './ada-vit.js'
import { ats } from './ats.js'
import { blockImitation, distill, endToEnd } from './distill.js'
import { dynamicVit } from './dynamic-vit.js'
import { evoVit } from './evo-vit.js'
import { fineTune } from './fine-tune.js'
import { fromScratch } from './from-scratch.js'
import { paper } from './paper.js'
import { predictor } from './predictor.js'
import type { Recipe } from './recipe.js'
import { refine } from './refine.js'
import { distillEncoder, distillSegmenter, segment } from './segment.js'

/** Every recipe under the name that users type. Adding one is its file and a line here. */
export const recipes: Readonly<Record<string, Recipe>> = {
  distill,
  'block-imitation': blockImitation,
  'end-to-end': endToEnd,
  refine,
  predictor,
  'from-scratch': fromScratch,
  'fine-tune': fineTune,
  paper,
  'dynamic-vit': dynamicVit,
  'evo-vit': evoVit,
  'ada-vit': adaVit,
  ats,
  'a-vit': aVit,
  segment,
  'distill-segmenter': distillSegmenter,
  'distill-encoder': distillEncoder,
}
