import { BlvitError } from '../../base/blvit-error.js'
import type { EngineRun, EngineRunOptions } from '../../engine/engine.js'
import { type Bindings, evaluate } from '../../graph/dim.js'
import type { Tensor } from '../../graph/tensor.js'
import type { ImageInput } from '../../image/node/decode.js'
import { type PrepareOptions, preparePicture } from '../../image/node/prepare.js'
import type { Preprocessing } from '../../image/preprocessing.js'
import type { Architecture } from '../../models/architecture.js'
import type { ModelDefinition } from '../../models/model-definition.js'
import {
  type EventValues,
  eventOutputs,
  eventValues,
  type ReduceEvent,
  type RouteEvent,
} from '../../models/token-history.js'
import { rankClasses } from '../../problems/classify.js'
import type { ResolvedSettings, Settings } from '../../settings/index.js'
import { pathWords } from './path-words.js'
import type { Trace, TracedStep } from './traced-steps.js'

export interface TraceOptions extends EngineRunOptions, PrepareOptions {
  /** How many labels. Default 5. */
  readonly top?: number | undefined
}

/** What a trace needs of a loaded model. */
interface Traceable {
  readonly name: string
  readonly architecture: Architecture
  readonly preprocessing: Preprocessing
  readonly labels: readonly string[]
  resolve(options: Settings): ResolvedSettings
}

/**
 * Complains about a model that treats all tokens alike; cheap, so call it before anything that costs time.
 * @throws BlvitError `UNSUPPORTED`
 */
export function assertTraceable(
  model: Pick<Traceable, 'name' | 'architecture' | 'resolve'>,
  options: Settings = {},
): void {
  const { name, architecture } = model
  if (architecture.build(model.resolve(options).build).history.length > 0) return
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
    ...(programs.classify ?? programs.embed),
    ...eventOutputs(history),
  }),
}

/** How tokens stand before the first event: each patch is a token of its own. */
interface Tokens {
  /** Prefix tokens included. */
  readonly count: number
  /** For each patch the token that it is part of, −1 if it is gone. Prefix tokens come first. */
  readonly tokenOf: readonly number[]
  readonly fused: ReadonlySet<number>
}

/** Tokens after a reduction. A token that others were fused into stays one that sums up what was let go. */
function reduced(tokens: Tokens, { assignment, joining }: ReduceEvent, values: EventValues): Tokens {
  const places = assignment(values)
  const after = (token: number) => (token < 0 ? -1 : (places[token] ?? -1))
  const members = new Map<number, number>()
  for (const place of places) members.set(place, (members.get(place) ?? 0) + 1)
  const joined = [...members].flatMap(([place, count]) => (place >= 0 && count > 1 ? [place] : []))
  return {
    count: Math.max(-1, ...places) + 1,
    tokenOf: tokens.tokenOf.map(after),
    fused: new Set([
      ...[...tokens.fused].map(after).filter((token) => token >= 0),
      ...(joining === 'fused' ? joined : []),
    ]),
  }
}

function reductionStep(event: ReduceEvent, { count, tokenOf, fused }: Tokens, prefix: number): TracedStep {
  return {
    afterLayer: event.layer,
    tokens: count - prefix,
    patchToken: tokenOf,
    ...(fused.size === 0 ? {} : { fused: [...fused] }),
  }
}

function routeStep(
  event: RouteEvent,
  values: EventValues,
  tokens: Tokens,
  prefix: number,
  sizes: Bindings,
): TracedStep {
  const { order = [], scores = [] } = values
  return {
    afterLayer: event.layer,
    tokens: tokens.count - prefix,
    patchToken: tokens.tokenOf,
    big: order.slice(0, evaluate(event.chosen, sizes)).toSorted((a, b) => a - b),
    layers: event.layers,
    scores,
  }
}

/** What happened to one picture's patches, event by event. @param numbersOf the numbers of an output */
export function tracedSteps(
  { history }: Pick<ModelDefinition, 'history'>,
  { prefix, grid }: Pick<Architecture, 'prefix' | 'grid'>,
  { sizes, numbersOf }: { sizes: Bindings; numbersOf: (output: string) => readonly number[] },
): readonly TracedStep[] {
  const patches = grid.rows * grid.columns
  let tokens: Tokens = {
    count: prefix + patches,
    tokenOf: Array.from({ length: patches }, (_, patch) => prefix + patch),
    fused: new Set(),
  }
  return history.map((event, index) => {
    const values = eventValues(event, index, numbersOf)
    if (event.kind === 'route') return routeStep(event, values, tokens, prefix, sizes)
    tokens = reduced(tokens, event, values)
    return reductionStep(event, tokens, prefix)
  })
}

/**
 * @param run runs {@link traceProgram} on a prepared picture
 * @throws BlvitError `UNSUPPORTED` if the model treats all tokens alike
 */
export async function tracePicture(
  model: Traceable,
  image: ImageInput,
  { top = 5, ...options }: TraceOptions,
  run: (pixels: Float32Array) => Promise<Pick<EngineRun, 'outputs'>>,
): Promise<Trace> {
  assertTraceable(model, options)
  const { architecture, preprocessing, labels } = model
  const { key, sizes, build } = model.resolve(options)
  const { pixels, input } = await preparePicture(image, preprocessing, options)
  const { outputs } = await run(input)
  const numbersOf = (output: string) => Array.from(outputs[output]?.values ?? [], Number)
  const steps = tracedSteps(architecture.build(build), architecture, { sizes, numbersOf })
  return {
    grid: architecture.grid,
    patchSize: architecture.patchSize,
    setting: key,
    steps,
    ...(steps.some(({ big }) => big) ? { paths: pathWords(architecture, steps) } : {}),
    top: labels.length === 0 ? [] : rankClasses(numbersOf('logits'), labels, { top }),
    picture: pixels,
  }
}
