import { defined } from '../base/assert.js'
import { BlvitError } from '../base/blvit-error.js'
import type { TrainingBatch } from '../batches/batches.js'
import { evaluate } from '../graph/dim.js'
import type { Tensor } from '../graph/tensor.js'
import type { Architecture } from '../models/architecture.js'
import type { NamedTensors, TensorData } from '../runtime/runtime.js'
import { resolveSettings, type Settings } from '../settings/index.js'
import { stepInputs } from '../training/adamw.js'
import { targetsInput } from '../training/stages/loss-parts.js'

/** What changes from step to step beside the pictures. */
export interface StepDraw {
  readonly keepRatio: number | undefined
  /** Belongs to the step. */
  readonly random: () => number
}

/** The settings of a step at a keep ratio; a model that doesn't route has none. */
export function settingsAt({ settings }: Architecture, keepRatio: number | undefined): Settings {
  return settings.keepRatio === undefined ? {} : { keepRatio }
}

/** Makes the inputs of a step. */
export interface StepFeed {
  (batch: TrainingBatch, draw: StepDraw): NamedTensors
  /** Whether some patches go through the big blocks and others don't. */
  readonly routes: boolean
}

const labelsMissing = () =>
  new BlvitError('BAD_DATA', 'This stage learns from labels, but the pictures have none.')

/**
 * What the inputs of a stage's graph are fed with: pictures, targets, the number of patches to keep, noise. What the
 * session feeds itself (state, learning rate) is left to it.
 */
export function feedOf(
  inputs: readonly Tensor[],
  { architecture, batch }: { architecture: Architecture; batch: number },
): StepFeed {
  const own = new Set<string>(Object.values(stepInputs))
  const wanted = inputs.flatMap((tensor) => {
    const leaf = tensor.leaf?.kind === 'input' ? tensor.leaf : undefined
    const name = leaf?.name ?? ''
    const defines = leaf?.role === 'size' ? leaf.defines : undefined
    const isKnown =
      name === 'pixel_values' || name === targetsInput || defines !== undefined || leaf?.role === 'noise'
    return isKnown && !own.has(name) ? [{ tensor, name, defines }] : []
  })
  const feed = (pictures: TrainingBatch, { keepRatio, random }: StepDraw): NamedTensors => {
    const { sizes } = resolveSettings(architecture, settingsAt(architecture, keepRatio))
    const tensorFor = ({ tensor, name, defines }: (typeof wanted)[number]): TensorData => {
      const shape = tensor.shape.map((dim) => evaluate(dim, { batch, ...sizes }))
      if (defines !== undefined) {
        return { dtype: 'int64', shape, values: BigInt64Array.of(BigInt(defined(sizes[defines], defines))) }
      }
      if (name === 'pixel_values') return { dtype: 'float32', shape, values: pictures.pixels }
      if (name === targetsInput) {
        if (!pictures.targets) throw labelsMissing()
        return { dtype: 'float32', shape, values: pictures.targets }
      }
      const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, random)
      return { dtype: 'float32', shape, values }
    }
    return Object.fromEntries(wanted.map((input) => [input.name, tensorFor(input)]))
  }
  return Object.assign(feed, {
    routes: wanted.some(({ defines }) => defines === 'kept'),
  })
}
