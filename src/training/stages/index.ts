import { blockImitationStage } from './block-imitation.js'
import { endToEndStage } from './end-to-end.js'
import { masksStage } from './masks.js'
import { predictorsStage } from './predictors.js'

/** Every kind of stage, by the `objective` that a recipe names. Adding one is its file and a line here. */
export const stageKinds = {
  'block imitation': blockImitationStage,
  'end to end': endToEndStage,
  predictors: predictorsStage,
  masks: masksStage,
} as const
