import { BlvitError } from '../base/blvit-error.js'
import type { Random } from '../base/random.js'
import type { TrainingBatch } from '../batches/batches.js'
import type { PromptBatch } from '../batches/prompt-batch.js'
import { feedGraph, type NoiseOf } from '../engine/feeds.js'
import type { Bindings } from '../graph/dim.js'
import { promptInputs } from '../models/masks/prompt-encoder.js'
import { pixelsInput } from '../models/model-definition.js'
import type { NamedTensors } from '../runtime/runtime.js'
import { stepInputs } from '../training/adamw.js'
import { labelsAskedFor, targetsInputs } from '../training/stages/loss-parts.js'
import { maskTargetInputs } from '../training/stages/masks.js'
import type { PlannedStage, StageStep } from './stage-step.js'

/** What changes from batch to batch beside the pictures. */
export interface StepDraw {
  /** Run-time sizes of the step's settings. */
  readonly sizes: Bindings
  /** The random numbers of a noise input. */
  readonly noise: (input: string) => Random
}

/** Makes the inputs of a batch. */
export type StepFeed = (batch: TrainingBatch, draw: StepDraw) => NamedTensors

function labelsMissing(): BlvitError {
  return new BlvitError('BAD_DATA', 'This stage learns from labels, but the pictures have none.')
}

/** Names that the session feeds itself: its state, sums of gradients, learning rate and step. */
function ownInputs({ step }: StageStep): ReadonlySet<string> {
  const state = [...step.state, ...(step.accumulation?.sums ?? [])].map(({ input }) => input)
  return new Set([...state, ...Object.values(stepInputs)])
}

function promptFeeds({ coordinates, labels, masks, ambiguous }: PromptBatch) {
  return {
    [promptInputs.coordinates]: coordinates,
    [promptInputs.labels]: labels,
    [maskTargetInputs.masks]: masks,
    [maskTargetInputs.ambiguous]: ambiguous,
  }
}

/** What the inputs of a stage's graph are fed with: pictures, targets, sizes, noise. */
export function feedOf({ stage }: Pick<PlannedStage, 'stage'>, made: StageStep): StepFeed {
  const own = ownInputs(made)
  const inputs = made.graph.inputs.filter(({ leaf }) => leaf?.kind === 'input' && !own.has(leaf.name))
  const labels = labelsAskedFor({ inputs })
  return ({ pixels, targets, prompts }, { sizes, noise }) => {
    if (labels && !targets) throw labelsMissing()
    const given = {
      [pixelsInput]: pixels,
      ...(labels && targets && { [targetsInputs[labels]]: targets }),
      ...(prompts && promptFeeds(prompts)),
    }
    const drawn: NoiseOf = (name, row) => Float32Array.from({ length: stage.batch * row }, noise(name))
    const all = { ...sizes, ...(prompts && { points: prompts.points }) }
    return feedGraph({ inputs }, { batch: stage.batch, inputs: given }, { sizes: all, noise: drawn })
  }
}
