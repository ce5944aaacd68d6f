import { BlvitError } from '../../base/blvit-error.js'
import { checkOptions, type OptionKeys } from '../../base/check-options.js'
import { checkWholeNumbers } from '../../base/whole-number.js'
import { addCosts, type Convention, conventions, noCost } from '../../graph/cost.js'
import { type Bindings, formatDim } from '../../graph/dim.js'
import { type Graph, graphOf, withCountedSizes } from '../../graph/graph.js'
import { printGraph } from '../../graph/print.js'
import { foldedAway } from '../../model-store/fold-batch-norms.js'
import { parametersOf } from '../../model-store/model-files.js'
import type { Architecture, ConfigJson } from '../../models/architecture.js'
import { type ModelDefinition, programOf } from '../../models/model-definition.js'
import { resolveSettings } from '../../settings/resolve.js'
import { type Settings, settingKeys, settingsOf } from '../../settings/settings.js'
import { activationsOf } from './activations.js'
import { type LayerCost, layerCosts } from './layers.js'
import { type PartCost, partCosts } from './parts.js'
import { type ScopeTree, scopeTree } from './scopes.js'
import { scopeShares, type Tally } from './shares.js'

/** Settings among them; default: the architecture's own. */
export interface AnalyzeOptions extends Settings {
  /** Pictures; default 1. */
  readonly batch?: number | undefined
  /**
   * Sizes that each picture decides, by name, e.g. the mean of how many tokens pass a threshold: `{ 'blocks.3.kept': 61.4 }`.
   * Only models that count while they run have such sizes. Default: as large as they can become.
   */
  readonly measured?: Bindings | undefined
  /** Programs of the model that are counted. Default: those that its usual answer takes. */
  readonly programs?: readonly string[] | undefined
}

const analyzeKeys: OptionKeys<AnalyzeOptions> = {
  ...settingKeys,
  batch: true,
  measured: true,
  programs: true,
}

/** What a model costs when it answers about `batch` pictures: classifies them, or whatever it was made for. */
export interface Analysis extends Tally, Settings {
  readonly family: string
  /** As config.json holds it. */
  readonly config: ConfigJson
  /** In pixels. */
  readonly image: Architecture['image']
  /** Side of a patch in pixels; absent where pictures aren't cut into patches. */
  readonly patchSize?: number
  readonly batch: number
  /** Patch tokens of a picture; without patches the places of the map that its features are of. */
  readonly patches: number
  /** Tokens before the patches: CLS, DIST. */
  readonly prefix: number
  /**
   * Parameters as papers count them: with the scale and the shift of the batch norms that are folded into maps here. Absent
   * where there are none.
   */
  readonly parametersWithNorms?: number
  /** The settings as people read them. */
  readonly setting: string
  /** How many patches the big blocks process; absent where there are none. */
  readonly kept?: number
  /** Sizes that each picture decides, as they are taken here: what was measured, or the most that they can become. */
  readonly counted?: Bindings
  /** The multiply-adds as polynomials in the run-time sizes, e.g. `64880640·batch·kept+6688794624·batch`. */
  readonly formulas: Readonly<Record<Convention, string>>
  /** Elements written, as fvcore counts: see {@link activationsOf}. */
  readonly activations: number
  readonly parts: readonly PartCost[]
  readonly layers: readonly LayerCost[]
  readonly scopes: ScopeTree
}

/** The part of a model that its usual answer takes: of a classifier, what only features need is not in it. */
function usualGraph(
  { family, usualRun }: Architecture,
  model: ModelDefinition,
  asked?: readonly string[] | undefined,
): Graph {
  const programs = asked ?? usualRun?.programs ?? [model.programs.classify ? 'classify' : 'embed']
  const outputs = programs.map((program) => programOf(model, program))
  return graphOf(family, Object.assign({}, ...outputs), { sizes: model.sizes })
}

/**
 * The graph of a model's usual answer as text that reads like the paper.
 * @param settings shapes for these; without any: shapes in the symbols of the run-time sizes, such as `kept`
 * @throws BlvitError `BAD_OPTION` for impossible settings
 */
export function printedGraph(subject: Architecture, settings: Settings = {}): string {
  const { architecture, build, sizes } = resolveSettings(subject, settings)
  const isSet = Object.keys(settingsOf(settings)).length > 0
  const model = architecture.build({ ...build, sizes: { ...build.sizes, ...(isSet ? sizes : {}) } })
  return printGraph(usualGraph(architecture, model))
}

function formulasOf(graph: Graph): Analysis['formulas'] {
  const cost = graph.nodes.map((node) => node.cost()).reduce(addCosts, noCost)
  return {
    linear: formatDim(conventions.linear(cost)),
    thop: formatDim(conventions.thop(cost)),
    full: formatDim(conventions.full(cost)),
  }
}

/** The sizes that a graph counts when it runs. @param sizes all others, and what was measured */
function countedSizes(graph: Graph, sizes: Bindings): Bindings {
  const all = withCountedSizes(graph, sizes)
  const names = graph.nodes.flatMap(({ counts }) => (counts ? [counts.size] : []))
  return Object.fromEntries(names.map((name) => [name, all[name] ?? Number.NaN]))
}

/** @throws BlvitError `BAD_OPTION` for a size that no picture decides */
function checkMeasured(measured: Bindings, counted: Bindings): void {
  const unknown = Object.keys(measured).find((name) => !Object.hasOwn(counted, name))
  if (unknown === undefined) return
  const known = Object.keys(counted).join(', ') || 'none'
  const message = `measured has "${unknown}", which no picture decides here. Sizes that pictures decide: ${known}.`
  throw new BlvitError('BAD_OPTION', message, { size: unknown })
}

/**
 * Counts a model's parameters and work by reading its graph: nothing is loaded and nothing runs.
 * @throws BlvitError `BAD_OPTION` for impossible settings, an impossible batch or a size without a value
 * @example
 * const { parameters, multiplyAdds } = analyze(await findConfiguration('b+t'), { keepRatio: 0.5 })
 */
export function analyze(
  subject: Architecture,
  { batch = 1, measured = {}, programs, ...options }: AnalyzeOptions = {},
): Analysis {
  checkOptions('option of analyze', options, analyzeKeys)
  checkWholeNumbers({ batch })
  const settings = resolveSettings(subject, settingsOf(options))
  const { architecture } = settings
  const model = architecture.build(settings.build)
  const graph = usualGraph(architecture, model, programs)
  const sizes = { batch, ...architecture.usualRun?.sizes, ...settings.sizes }
  const counted = countedSizes(graph, { ...sizes, ...measured })
  checkMeasured(measured, counted)
  const bindings = { ...sizes, ...counted }
  const parameters = parametersOf(architecture).filter(({ counted }) => counted)
  const shares = scopeShares(graph, { parameters, bindings })
  const scopes = scopeTree(shares)
  const folded = foldedAway(parameters, architecture.facts.batchNorms ?? [])
  return {
    family: architecture.family,
    config: architecture.json,
    image: architecture.image,
    ...(architecture.patchSize === undefined ? {} : { patchSize: architecture.patchSize }),
    batch,
    patches: architecture.grid.rows * architecture.grid.columns,
    prefix: architecture.prefix,
    setting: settings.key,
    ...settings.values,
    ...settings.sizes,
    ...(Object.keys(counted).length > 0 && { counted }),
    parameters: scopes.parameters,
    ...(folded === 0 ? {} : { parametersWithNorms: scopes.parameters + folded }),
    multiplyAdds: scopes.multiplyAdds,
    formulas: formulasOf(graph),
    activations: activationsOf(graph, bindings),
    parts: partCosts(shares, parameters, architecture.facts),
    layers: layerCosts(shares, { graph, facts: architecture.facts, history: model.history, bindings }),
    scopes,
  }
}
