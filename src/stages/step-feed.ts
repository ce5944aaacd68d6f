import { BlvitError } from '../base/blvit-error.js'
import type { Random } from '../base/random.js'
import { feedGraph, type NoiseOf } from '../engine/feeds.js'
import type { Bindings } from '../graph/dim.js'
import { pixelsInput } from '../models/model-definition.js'
import type { NamedTensors } from '../runtime/runtime.js'
import { stepInputs } from '../training/adamw.js'
import { labelsAskedFor, targetsInputs } from '../training/stages/loss-parts.js'
import type { PlannedStage, StageStep } from './stage-step.js'

/** What changes from batch to batch beside the pictures. */
export interface StepDraw {
  /** Run-time sizes of the step's settings. */
  readonly sizes: Bindings
  /** The random numbers of a noise input. */
  readonly noise: (input: string) => Random
}

/** What a stage takes of a batch of pictures. */
export interface StageBatch {
  /** `[batch, channels, height, width]` */
  readonly pixels: Float32Array
  /** The probabilities that the model should give, `[batch, classes]`; only where the stage learns from labels. */
  readonly targets?: Float32Array | undefined
  /** Other inputs, by their names. */
  readonly others?: Readonly<Record<string, Float32Array>> | undefined
  /** Run-time sizes of those. */
  readonly sizes?: Bindings | undefined
}

/** Makes the inputs of a batch. */
export type StepFeed = (batch: StageBatch, draw: StepDraw) => NamedTensors

function labelsMissing(): BlvitError {
  return new BlvitError('BAD_DATA', 'This stage learns from labels, but the pictures have none.')
}

/** Names that the session feeds itself: its state, sums of gradients, learning rate and step. */
function ownInputs({ step }: StageStep): ReadonlySet<string> {
  const state = [...step.state, ...(step.accumulation?.sums ?? [])].map(({ input }) => input)
  return new Set([...state, ...Object.values(stepInputs)])
}

/** What the inputs of a stage's graph are fed with: pictures, targets, sizes, noise. */
export function feedOf({ stage }: Pick<PlannedStage, 'stage'>, made: StageStep): StepFeed {
  const sessions = ownInputs(made)
  const inputs = made.graph.inputs.filter(({ leaf }) => leaf?.kind === 'input' && !sessions.has(leaf.name))
  const labels = labelsAskedFor({ inputs })
  return ({ pixels, targets, others, sizes: own }, { sizes, noise }) => {
    if (labels && !targets) throw labelsMissing()
    const given = {
      [pixelsInput]: pixels,
      ...(labels && targets && { [targetsInputs[labels]]: targets }),
      ...others,
    }
    const drawn: NoiseOf = (name, row) => Float32Array.from({ length: stage.batch * row }, noise(name))
    return feedGraph(
      { inputs },
      { batch: stage.batch, inputs: given },
      { sizes: { ...sizes, ...own }, noise: drawn },
    )
  }
}
