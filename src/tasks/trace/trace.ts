import { defined } from '../../base/assert.js'
import { BlvitError } from '../../base/blvit-error.js'
import type { EngineRun, EngineRunOptions } from '../../engine/engine.js'
import { evaluate } from '../../graph/dim.js'
import type { Tensor } from '../../graph/tensor.js'
import type { ImageInput } from '../../image/decode.js'
import type { Pixels } from '../../image/pixels.js'
import { type PrepareOptions, preparePicture } from '../../image/prepare.js'
import type { Preprocessing } from '../../image/preprocessing.js'
import type { Architecture } from '../../models/architecture.js'
import { type ModelDefinition, outputOf } from '../../models/model-definition.js'
import { rankClasses, type ScoredLabel } from '../../problems/classify.js'
import type { ResolvedSettings, Settings } from '../../settings/index.js'

export interface TraceOptions extends EngineRunOptions, PrepareOptions {
  /** How many labels. Default 5. */
  readonly top?: number | undefined
}

/** What one selection chose. */
export interface TracedSelection {
  /** The layer after which it was made, counted from 1. */
  readonly afterLayer: number
  /** The layers that it decides about, counted from 1; none if it is replaced before one routes. */
  readonly layers: readonly number[]
  /** Patch indices that went through the big blocks, ascending; patches count from 0, row by row. */
  readonly primary: readonly number[]
  /** The score of every patch. */
  readonly scores: readonly number[]
}

/** The way of a picture's tokens through a model that routes. */
export interface Trace {
  readonly grid: { readonly rows: number; readonly columns: number }
  /** Side of a patch in pixels. */
  readonly patchSize: number
  /** Share of patches that was asked for. */
  readonly keepRatio: number
  readonly selections: readonly TracedSelection[]
  readonly top: readonly ScoredLabel[]
  /** The picture as the model saw it: resized and cropped. */
  readonly picture: Pixels
}

/**
 * Complains about a model that has no routes; cheap, so call it before anything that costs time.
 * @throws BlvitError `UNSUPPORTED`
 */
export function assertRoutes({ name, architecture }: Pick<Traceable, 'name' | 'architecture'>): void {
  if (architecture.settings.keepRatio !== undefined) return
  throw new BlvitError(
    'UNSUPPORTED',
    `${name} is a plain ${architecture.family}: every patch goes through every block, so there is no route to ` +
      'draw. Convert it to a big.LITTLE model first: blvit convert.',
  )
}

/** The graph outputs that a trace reads. */
function traceOutputs(model: ModelDefinition): Record<string, Tensor> {
  const routes = model.selections.flatMap(({ scores, order }, index) => [
    [`scores${index}`, scores] as const,
    [`order${index}`, order] as const,
  ])
  return { logits: outputOf(model, 'classify', 'logits'), ...Object.fromEntries(routes) }
}

/** What a trace asks of a model. */
export const traceProgram = { name: 'trace', outputs: traceOutputs }

/** What a trace needs of a loaded model. */
interface Traceable {
  readonly name: string
  readonly architecture: Architecture
  readonly preprocessing: Preprocessing
  readonly labels: readonly string[]
  resolve(options: Settings): ResolvedSettings
}

/**
 * @param run runs {@link traceProgram} on a prepared picture
 * @throws BlvitError `UNSUPPORTED` if the model makes no selections
 */
export async function tracePicture(
  model: Traceable,
  image: ImageInput,
  { top = 5, ...options }: TraceOptions,
  run: (pixels: Float32Array) => Promise<Pick<EngineRun, 'outputs'>>,
): Promise<Trace> {
  assertRoutes(model)
  const { architecture, preprocessing, labels } = model
  const { sizes, values } = model.resolve(options)
  const { selections } = architecture.build()
  const { pixels, input } = await preparePicture(image, preprocessing, options)
  const { outputs } = await run(input)
  const numbers = (output: string) => Array.from(outputs[output]?.values ?? [], Number)
  return {
    grid: architecture.grid,
    patchSize: architecture.patchSize,
    keepRatio: defined(values.keepRatio, 'the keep ratio'),
    selections: selections.map(({ afterLayer, layers, chosen }, index) => ({
      afterLayer,
      layers,
      primary: numbers(`order${index}`)
        .slice(0, evaluate(chosen, sizes))
        .sort((a, b) => a - b),
      scores: numbers(`scores${index}`),
    })),
    top: rankClasses(numbers('logits'), labels, { top }),
    picture: pixels,
  }
}
