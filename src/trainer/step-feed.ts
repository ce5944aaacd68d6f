import { assert } from '../base/assert.js'
import { BlvitError } from '../base/blvit-error.js'
import type { Random } from '../base/random.js'
import type { TrainingBatch } from '../batches/batches.js'
import { type Bindings, evaluate } from '../graph/dim.js'
import type { InputLeaf } from '../graph/tensor.js'
import type { NamedTensors, TensorData } from '../runtime/runtime.js'
import { stepInputs } from '../training/adamw.js'
import { targetsInput } from '../training/stages/loss-parts.js'
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

const makers: Readonly<Record<string, (pictures: TrainingBatch) => Float32Array>> = {
  pixel_values: ({ pixels }) => pixels,
  [targetsInput]: ({ targets }) => {
    if (!targets) throw labelsMissing()
    return targets
  },
}

/** Names that the session feeds itself: its state, sums of gradients, learning rate and step. */
function ownInputs({ step }: StageStep): ReadonlySet<string> {
  const state = [...step.state, ...(step.accumulation?.sums ?? [])].map(({ input }) => input)
  return new Set([...state, ...Object.values(stepInputs)])
}

function fed(leaf: InputLeaf, shape: readonly number[], pictures: TrainingBatch, draw: StepDraw): TensorData {
  if (leaf.role === 'size') {
    const size = draw.sizes[leaf.defines]
    assert(size !== undefined, `a size for ${leaf.name}`)
    return { dtype: 'int64', shape, values: BigInt64Array.of(BigInt(size)) }
  }
  if (leaf.role === 'noise') {
    const length = shape.reduce((a, b) => a * b, 1)
    return { dtype: 'float32', shape, values: Float32Array.from({ length }, draw.noise(leaf.name)) }
  }
  const make = makers[leaf.name]
  assert(make, `something to feed ${leaf.name} with`)
  return { dtype: 'float32', shape, values: make(pictures) }
}

/** What the inputs of a stage's graph are fed with: pictures, targets, sizes, noise. */
export function feedOf({ stage }: Pick<PlannedStage, 'stage'>, made: StageStep): StepFeed {
  const own = ownInputs(made)
  const inputs = made.graph.inputs.flatMap(({ leaf, shape }) =>
    leaf?.kind === 'input' && !own.has(leaf.name) ? [{ leaf, shape }] : [],
  )
  return (pictures, draw) =>
    Object.fromEntries(
      inputs.map(({ leaf, shape }) => {
        const sizes = shape.map((dim) => evaluate(dim, { batch: stage.batch, ...draw.sizes }))
        return [leaf.name, fed(leaf, sizes, pictures, draw)]
      }),
    )
}
