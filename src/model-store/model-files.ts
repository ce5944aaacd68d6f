import { BlvitError } from '../base/blvit-error.js'
import type { Parameter } from '../graph/graph.js'
import { graphOf } from '../graph/graph.js'
import type { Tensor } from '../graph/tensor.js'
import type { Size } from '../image/crop-window.js'
import type { Preprocessing } from '../image/preprocessing.js'
import { type FoundPreprocessing, findPreprocessing } from '../image/preprocessing-config.js'
import type { Architecture, ConfigJson } from '../models/architecture.js'
import { trainingHooks } from '../models/block-loop.js'
import { readArchitecture } from '../models/index.js'
import type { ModelDefinition } from '../models/model-definition.js'
import { readScoreFunction, type ScoreFunction } from '../models/score-function.js'
import { eventOutputs } from '../models/token-history.js'
import { resolveSettings } from '../settings/resolve.js'
import { assertFinite } from '../weights/finite.js'
import { fitParameters } from '../weights/fit.js'
import type { StoredTensors } from '../weights/stored-tensor.js'
import { foldBatchNorms } from './fold-batch-norms.js'
import { readLabels } from './labels.js'
import { maskPreprocessing, unfollowed } from './mask-preprocessing.js'
import { misfitAdvice } from './misfit-advice.js'
import { canonicalNames } from './name-maps/canonical-names.js'

/** What a model's JSON files hold. */
export interface ModelJson {
  /** `config.json` */
  readonly config: ConfigJson
  /** `preprocessor_config.json` */
  readonly preprocessorConfig?: ConfigJson | undefined
}

/** What a model's JSON files say about it. */
export interface ModelDescription {
  readonly architecture: Architecture
  readonly preprocessing: Preprocessing
  /** Class names in class order; none of a backbone without a head. */
  readonly labels: readonly string[]
  /** How the numbers of its head become scores. */
  readonly scores: ScoreFunction
  /** What had to be assumed because no file says it, in words for people. */
  readonly assumptions: readonly string[]
  /** The side of pictures that its files say, where the weights are stored for another; see `atOwnSize`. */
  readonly runsAt?: number | undefined
}

/** A model, opened: weights are checked, renamed to timm's names and still where they were stored. */
export interface ModelFiles extends ModelDescription {
  readonly weights: StoredTensors
}

/** The files on this machine that a model was read from: its weights, and what stands beside them. */
export function filesOf({ weights }: Pick<ModelFiles, 'weights'>): readonly string[] {
  const sources = [...weights.values()].flatMap(({ segments }) =>
    segments.flatMap(({ source }) => source.path ?? []),
  )
  const files = [...new Set(sources)]
  const folders = new Set(files.map((path) => path.replace(/[^/\\]*$/, '')))
  const others = ['config.json', 'preprocessor_config.json', 'model.safetensors.index.json']
  return [...files, ...[...folders].flatMap((folder) => others.map((name) => `${folder}${name}`))]
}

/** All that a model can be asked for, and what it learns from beside. */
function allOutputs({ programs, history, training }: ModelDefinition): readonly Tensor[] {
  return [
    ...Object.values(programs).flatMap((outputs) => Object.values(outputs)),
    ...Object.values(eventOutputs(history)),
    ...Object.values(training?.losses ?? {}),
    ...(training?.answers ?? []),
  ]
}

/**
 * All parameters of an architecture, those of optional outputs included, and those of the method that it was made for:
 * to run it, and to go on learning with it.
 */
export function parametersOf(architecture: Architecture): readonly Parameter[] {
  const { hooks } = resolveSettings(architecture).build
  const models = [
    architecture.build(),
    ...(hooks ? [hooks, trainingHooks(hooks)].map((each) => architecture.build({ hooks: each })) : []),
  ]
  const outputs = models.flatMap(allOutputs).map((tensor, i) => [`output${i}`, tensor] as const)
  const sizes = models.flatMap((model) => model.sizes)
  return graphOf(architecture.family, Object.fromEntries(outputs), { sizes }).parameters
}

/** @throws BlvitError `BAD_CONFIG` where the reduction that config.json names is none, or not for this model */
function checkOwnSettings(architecture: Architecture): void {
  try {
    resolveSettings(architecture)
  } catch (cause) {
    if (!(cause instanceof BlvitError)) throw cause
    throw new BlvitError('BAD_CONFIG', `config.json is not valid: ${cause.message}`, {}, { cause })
  }
}

/** What it means that preprocessor_config.json says another size of pictures than config.json. */
function ownSize(
  { image, patchSize, facts }: Architecture,
  said: Size | undefined,
): Pick<ModelDescription, 'runsAt' | 'assumptions'> {
  if (!said || (said.height === image.height && said.width === image.width)) return { assumptions: [] }
  const sizes = `preprocessor_config.json makes pictures of ${said.height} × ${said.width}, but the model's config.json says ${image.height} × ${image.width}`
  const resampling = facts.positionEmbedding?.resampling
  if (!resampling || !patchSize || said.height !== said.width || said.height % patchSize !== 0)
    return { assumptions: [`${sizes}: they are made of that size`] }
  return {
    runsAt: said.height,
    assumptions: [`${sizes}: it runs at the former, its position embedding resampled as transformers does`],
  }
}

function preprocessingOf(architecture: Architecture, files: ModelJson): FoundPreprocessing {
  const { image, channels, facts } = architecture
  const { masks, pictures: usual } = facts
  if (!masks) return findPreprocessing(files, { imageSize: image, channels, usual })
  return {
    preprocessing: maskPreprocessing(masks),
    assumptions: unfollowed(masks, files.preprocessorConfig),
  }
}

/** @throws BlvitError `BAD_CONFIG` */
export function readDescription({ config, preprocessorConfig }: ModelJson): ModelDescription {
  const architecture = readArchitecture(config)
  checkOwnSettings(architecture)
  const { classes } = architecture
  const found = preprocessingOf(architecture, { config, preprocessorConfig })
  const { labels, assumptions } = readLabels(config, classes)
  const size = ownSize(architecture, found.said)
  return {
    architecture,
    preprocessing: found.preprocessing,
    labels,
    scores: readScoreFunction(config, classes),
    ...size,
    assumptions: [...found.assumptions, ...size.assumptions, ...assumptions],
  }
}

/**
 * Checks that weights are the architecture's, and numbers.
 * @param tensors in any naming that blvit knows
 * @param options `source`: where they are from, for messages; `search`: look for what is no number now, default true.
 *   False for who only runs them: `Engine` looks at the answers
 * @throws BlvitError `BAD_WEIGHTS`, `SHAPE_MISMATCH`, `ABORTED`
 */
export async function withWeights(
  description: ModelDescription,
  tensors: StoredTensors,
  { source, signal, search = true }: { source: string; signal?: AbortSignal | undefined; search?: boolean },
): Promise<ModelFiles> {
  const { architecture } = description
  const { facts } = architecture
  const named = canonicalNames(tensors, facts.names).tensors
  const read = new Map([...named].filter(([name]) => !facts.isUnread(name)))
  const folded = await foldBatchNorms(read, facts.batchNorms ?? [])
  const weights = fitParameters(parametersOf(architecture), folded, {
    source,
    advise: misfitAdvice(architecture),
  })
  if (search) await assertFinite(weights, { signal })
  return { ...description, weights }
}
