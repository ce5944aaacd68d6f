import { defined } from '../../base/assert.js'
import { BlvitError } from '../../base/blvit-error.js'
import type { Engine, EngineRunOptions } from '../../engine/engine.js'
import { keptPatches } from '../../engine/keep-ratio.js'
import { evaluate } from '../../graph/dim.js'
import type { Tensor } from '../../graph/tensor.js'
import type { ImageInput } from '../../image/node/decode.js'
import { type PrepareOptions, preparePicture } from '../../image/node/prepare.js'
import type { Preprocessing } from '../../image/preprocessing.js'
import type { Architecture } from '../../models/architecture.js'
import type { ModelDefinition } from '../../models/model-definition.js'
import { rankClasses } from '../../problems/classify.js'
import { pathWords } from './path-words.js'
import type { Trace, TracedStep } from './traced-steps.js'

export interface TraceOptions extends EngineRunOptions, PrepareOptions {
  /** How many labels. Default 5. */
  readonly top?: number | undefined
}

/**
 * Complains about a model that has no routes; cheap, so call it before anything that costs time.
 * @throws BlvitError `UNSUPPORTED`
 */
export function assertRoutes({ name, architecture }: Pick<Traceable, 'name' | 'architecture'>): void {
  if (architecture.keepRatio !== undefined) return
  throw new BlvitError(
    'UNSUPPORTED',
    `${name} is a plain ${architecture.family}: every patch goes through every block, so there is no route to ` +
      'draw. Convert it to a big.LITTLE model first: blvit convert.',
  )
}

/** The graph outputs that a trace reads. */
export function traceOutputs({ outputs, selections }: ModelDefinition): Record<string, Tensor> {
  const routes = selections.flatMap(({ scores, order }, index) => [
    [`scores${index}`, scores] as const,
    [`order${index}`, order] as const,
  ])
  return { logits: outputs.logits, ...Object.fromEntries(routes) }
}

/** What a trace needs of a loaded model. */
interface Traceable {
  readonly name: string
  readonly architecture: Architecture
  readonly preprocessing: Preprocessing
  readonly labels: readonly string[]
}

/** @throws BlvitError `UNSUPPORTED` if the model makes no selections */
export async function tracePicture(
  { architecture, preprocessing, labels }: Traceable,
  engine: Engine,
  image: ImageInput,
  { top = 5, ...options }: TraceOptions,
): Promise<Trace> {
  const kept = defined(keptPatches(architecture, options.keepRatio), 'the number of kept patches')
  const { selections } = architecture.build()
  const { pixels, input } = await preparePicture(image, preprocessing, options)
  const { outputs } = await engine.run({ count: 1, values: input }, options)
  const numbers = (output: string) => Array.from(outputs[output]?.values ?? [], Number)
  const patches = architecture.grid.rows * architecture.grid.columns
  const steps = selections.map(
    ({ afterLayer, layers, chosen }, index): TracedStep => ({
      afterLayer,
      tokens: patches,
      patchToken: Array.from({ length: patches }, (_, patch) => patch),
      big: numbers(`order${index}`)
        .slice(0, evaluate(chosen, { kept }))
        .sort((a, b) => a - b),
      layers,
      scores: numbers(`scores${index}`),
    }),
  )
  return {
    grid: architecture.grid,
    patchSize: architecture.patchSize,
    setting: `keep ratio ${options.keepRatio ?? defined(architecture.keepRatio, 'the keep ratio')}`,
    steps,
    paths: pathWords(architecture, steps),
    top: rankClasses(numbers('logits'), labels, { top }),
    picture: pixels,
  }
}
