import { defined } from '../../base/assert.js'
import { BlvitError } from '../../base/blvit-error.js'
import type { EngineRun, EngineRunOptions } from '../../engine/engine.js'
import type { Bindings } from '../../graph/dim.js'
import type { Tensor } from '../../graph/tensor.js'
import type { PreparedPicture, PrepareOptions } from '../../image/prepare.js'
import type { Architecture } from '../../models/architecture.js'
import type { ModelDefinition } from '../../models/model-definition.js'
import type { ScoreFunction } from '../../models/score-function.js'
import { eventOutputs, followPatches } from '../../models/token-history.js'
import { checkTop, rankClasses } from '../../problems/classify.js'
import type { ResolvedSettings } from '../../settings/resolve.js'
import type { Settings } from '../../settings/settings.js'
import { pathWords } from './trace-words.js'
import type { Trace, TracedStep } from './traced-steps.js'

export interface TraceOptions extends EngineRunOptions, PrepareOptions {
  /** How many labels. Default 5. */
  readonly top?: number | undefined
}

/** What a trace needs of a loaded model. */
interface Traceable {
  readonly name: string
  readonly labels: readonly string[]
  readonly scores: ScoreFunction
  resolve(options: Settings): ResolvedSettings
}

/**
 * Complains about a model that treats all tokens alike; cheap, so call it before anything that costs time.
 * @throws BlvitError `UNSUPPORTED`
 */
export function assertTraceable(model: Pick<Traceable, 'name' | 'resolve'>, options: Settings = {}): void {
  const { name } = model
  const { architecture, build } = model.resolve(options)
  if (architecture.build(build).history.length > 0) return
  if (architecture.patchSize === undefined) {
    const message = `${name} (${architecture.family}) has maps and no tokens that go ways of their own, so there is nothing to draw.`
    throw new BlvitError('UNSUPPORTED', message)
  }
  throw new BlvitError(
    'UNSUPPORTED',
    `${name} is a plain ${architecture.family}: every patch goes through every block, so there is nothing to draw. ` +
      'Let it reduce its tokens (--reduce evit:0.7), or convert it to a big.LITTLE model: blvit convert.',
  )
}

/** What a trace asks of a model: the labels, where it has a classifier, and what became of the tokens. */
export const traceProgram = {
  name: 'trace',
  outputs: ({ programs, history }: ModelDefinition): Readonly<Record<string, Tensor>> => ({
    // of a model that cuts things out of pictures nothing else has outputs while all its tokens go on
    ...(programs.classify ?? programs.embed ?? programs.encode),
    ...eventOutputs(history),
  }),
}

/** What happened to one picture's patches, event by event. @param numbersOf the numbers of an output */
function tracedSteps(
  { history }: Pick<ModelDefinition, 'history'>,
  { prefix, grid }: Pick<Architecture, 'prefix' | 'grid'>,
  { sizes, numbersOf }: { sizes: Bindings; numbersOf: (output: string) => readonly number[] },
): readonly TracedStep[] {
  const steps = followPatches(history, numbersOf, { prefix, patches: grid.rows * grid.columns, sizes })
  return steps.map(({ layer, tokens, patchToken, fused, route }) => ({
    afterLayer: layer,
    tokens,
    patchToken,
    ...(fused.length === 0 ? {} : { fused }),
    ...(route && { big: route.chosen, layers: route.layers, scores: route.scores, decided: route.decided }),
  }))
}

/**
 * @param run runs {@link traceProgram} on a prepared picture
 */
export async function tracePicture(
  model: Traceable,
  { pixels, input }: PreparedPicture,
  { top = 5, ...options }: TraceOptions,
  run: (pixels: Float32Array) => Promise<Pick<EngineRun, 'outputs'>>,
): Promise<Trace> {
  const { labels, scores } = model
  checkTop(top)
  const { key, architecture, sizes, build } = model.resolve(options)
  const { outputs } = await run(input)
  const numbersOf = (output: string) => Array.from(outputs[output]?.values ?? [], Number)
  const definition = architecture.build(build)
  const steps = tracedSteps(definition, architecture, { sizes, numbersOf })
  const paths = pathWords(definition.history)
  return {
    grid: architecture.grid,
    patchSize: defined(architecture.patchSize, 'the side of a patch'),
    setting: key,
    steps,
    ...(paths ? { paths } : {}),
    top: labels.length === 0 ? [] : rankClasses(numbersOf('logits'), labels, { top, scores }),
    picture: pixels,
  }
}
