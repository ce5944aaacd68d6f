import { checkFramedAugmentation } from '../batches/framed-picture.js'
import type { MaskPictures } from '../batches/picture-maker.js'
import type { PromptBatch } from '../batches/prompt-batch.js'
import type { Graph } from '../graph/graph.js'
import type { Architecture } from '../models/architecture.js'
import { promptInputs } from '../models/masks/prompt-encoder.js'
import type { Stage } from '../recipes/recipe.js'
import type { PlannedStage } from '../stages/stage-step.js'
import type { StageBatch } from '../stages/step-feed.js'
import { asksForObjects, maskTargetInputs } from '../training/stages/masks.js'

/** A stage, and how pictures come to its student. */
export interface PictureStage extends PlannedStage {
  /** Of a student that cuts out things: its frame, and what it is asked of each picture. */
  readonly masks: MaskPictures | undefined
}

function maskPictures(stage: Stage, { facts }: Architecture, graph: Graph): MaskPictures | undefined {
  const { masks: frame } = facts
  if (!frame) return undefined
  checkFramedAugmentation(stage.augmentation)
  const { height, width, fit, mean, std, maskRows, maskColumns } = frame
  const prompts = 'prompts' in stage && asksForObjects(graph) ? stage.prompts : undefined
  const questions = prompts === undefined ? undefined : { height, width, maskRows, maskColumns, prompts }
  return { height, width, fit, mean, std, questions }
}

/** @throws BlvitError `BAD_OPTION` for an augmentation that masks don't follow */
export function withPictures(planned: PlannedStage, student: Architecture): PictureStage {
  const { stage, settings, stepFor } = planned
  const { graph } = stepFor(settings?.ends[0])
  return { ...planned, masks: maskPictures(stage, student, graph) }
}

/** What a stage is fed with beside pictures, where it is asked for objects. */
export function promptFeeds(prompts: PromptBatch): Pick<StageBatch, 'others' | 'sizes'> {
  return {
    others: {
      [promptInputs.coordinates]: prompts.coordinates,
      [promptInputs.labels]: prompts.labels,
      [maskTargetInputs.masks]: prompts.masks,
      [maskTargetInputs.ambiguous]: prompts.ambiguous,
    },
    sizes: { points: prompts.points },
  }
}
