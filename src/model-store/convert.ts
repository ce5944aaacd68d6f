import { BlvitError } from '../base/blvit-error.js'
import type { Parameter } from '../graph/graph.js'
import type { Architecture, ConfigJson } from '../models/architecture.js'
import { presets } from '../models/index.js'
import { type Difference, inheriting, sizeDifferences } from '../models/inherit.js'
import { readScoreFunction } from '../models/score-function.js'
import { movedBiases } from '../weights/attention-biases.js'
import { isAntialiased } from '../weights/fit-to-grid.js'
import { resamplePositionEmbedding } from '../weights/position-embedding.js'
import { readFloats } from '../weights/read-floats.js'
import { storedFrom } from '../weights/stored-from.js'
import type { StoredTensor } from '../weights/stored-tensor.js'
import { initialWeights } from './initial-weights.js'
import { assumedLabels } from './labels.js'
import { type ModelFiles, parametersOf } from './model-files.js'

/** What came of a conversion. */
export interface Conversion {
  readonly files: ModelFiles
  /** Names of parameters that the source has. */
  readonly copied: readonly string[]
  /** Names of parameters that start anew: E-blocks, predictors, α and γ, a head of other classes. */
  readonly fresh: readonly string[]
  /** Names of the source's parameters that the new model doesn't have. */
  readonly dropped: readonly string[]
  /** What the wanted configuration says otherwise, and the source's weights decide. */
  readonly overruled: readonly Difference[]
}

export interface ConvertOptions {
  /** What the target is called, for messages. */
  readonly name?: string
  /** Of weights that start anew. */
  readonly seed?: number
  /** config.json keys to change, those included that are the source's otherwise. */
  readonly set?: ConfigJson | undefined
}

/** @throws BlvitError `SHAPE_MISMATCH` between networks of which one has no tokens, or cuts things out of pictures */
function checkFamilies(source: Architecture, target: Architecture, targetName: string): void {
  const isApart = ({ patchSize, facts }: Architecture) => patchSize === undefined || facts.masks !== undefined
  if (source.family === target.family || ![source, target].some(isApart)) return
  const message = `${targetName} can't take these weights: they are of another network (${source.family}, not ${target.family}).`
  throw new BlvitError('SHAPE_MISMATCH', message, { source: source.family, target: target.family })
}

function checkSizes(source: Architecture, target: Architecture, targetName: string): void {
  const differing = sizeDifferences(source, target)
  if (differing.length === 0) return
  const list = differing
    .map(({ key, source: has, target: wanted }) => `${key} ${has}, not ${wanted}`)
    .join('; ')
  const fitting = Object.entries(presets)
    .filter(([, preset]) => preset.plain !== undefined && sizeDifferences(source, preset).length === 0)
    .map(([name]) => name)
  const advice = fitting.length > 0 ? `Use ${fitting.join(' or ')}.` : 'Write a config.json that fits.'
  throw new BlvitError(
    'SHAPE_MISMATCH',
    `${targetName} doesn't fit these weights: the model has ${list}. ${advice}`,
    { differing: differing.map(({ key }) => key), fitting },
  )
}

/**
 * A position embedding on another grid or with other prefix tokens: the grid is resampled, rows of tokens that were
 * there are copied, those of new ones start anew.
 */
async function movedPositions(
  stored: StoredTensor,
  parameter: Parameter,
  { source, target, seed }: { source: Architecture; target: Architecture; seed: number },
): Promise<StoredTensor> {
  const { width } = target.facts
  const before = source.facts.positionEmbedding?.prefix ?? 0
  const after = target.facts.positionEmbedding?.prefix ?? 0
  const { rows, columns } = target.grid
  const resampled = resamplePositionEmbedding(await readFloats(stored), {
    prefix: before,
    from: [source.grid.rows, source.grid.columns],
    to: [rows, columns],
    width,
    antialias: isAntialiased(source),
  })
  const values = await readFloats(initialWeights(parameter, { seed }))
  values.set(resampled.subarray(0, Math.min(before, after) * width))
  values.set(resampled.subarray(before * width), after * width)
  return storedFrom(values, parameter.shape)
}

/** What a head of other classes changes. */
function newClasses(
  source: ModelFiles,
  classes: number,
): Pick<ModelFiles, 'labels' | 'scores' | 'assumptions'> {
  const { labels, assumptions } = assumedLabels(
    classes,
    `nothing names the ${classes} classes of the new head`,
  )
  return {
    labels,
    scores: readScoreFunction({}, classes),
    assumptions: [...source.assumptions, ...assumptions],
  }
}

/**
 * Makes a model of another configuration from a ViT's weights (spec §3): what has the same name is copied, the
 * rest starts as its initialiser says. At keep ratio 1 and γ = 0 the converted model computes what the ViT does.
 * @param target the wanted configuration; image size, classes and whatever else the weights decide are the source's
 *   unless `set` says otherwise: another image size resamples the position embedding, other classes get a new head
 * @throws BlvitError `SHAPE_MISMATCH` if the P-block is not the source's size, `BAD_OPTION`, `BAD_CONFIG`
 */
export async function convert(
  source: ModelFiles,
  target: Architecture,
  { name = target.family, seed = 0, set }: ConvertOptions = {},
): Promise<Conversion> {
  checkFamilies(source.architecture, target, name)
  const { architecture, overruled } = inheriting(source.architecture, target, set)
  checkSizes(source.architecture, architecture, name)
  const positions = architecture.facts.positionEmbedding?.parameter
  const models = { source: source.architecture, target: architecture, seed }
  const biases = await movedBiases(source.weights, {
    from: source.architecture.facts.attentionBiases ?? [],
    to: architecture.facts.attentionBiases ?? [],
  })
  const weights = new Map<string, StoredTensor>()
  const copied: string[] = []
  const fresh: string[] = []
  for (const parameter of parametersOf(architecture)) {
    const stored = biases.get(parameter.name) ?? source.weights.get(parameter.name)
    const fits = stored !== undefined && stored.shape.join() === parameter.shape.join()
    const moves = stored !== undefined && !fits && parameter.name === positions
    if (moves) weights.set(parameter.name, await movedPositions(stored, parameter, models))
    else weights.set(parameter.name, fits ? stored : initialWeights(parameter, { seed }))
    ;(fits || moves ? copied : fresh).push(parameter.name)
  }
  const dropped = [...source.weights.keys()].filter((parameter) => !weights.has(parameter))
  const { image, classes } = architecture
  const preprocessing = { ...source.preprocessing, ...image }
  const sameClasses = classes === source.architecture.classes
  return {
    files: {
      ...source,
      architecture,
      preprocessing,
      weights,
      ...(sameClasses ? {} : newClasses(source, classes)),
    },
    copied,
    fresh,
    dropped,
    overruled,
  }
}
