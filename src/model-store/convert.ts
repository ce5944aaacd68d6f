import { BlvitError } from '../base/blvit-error.js'
import type { Architecture } from '../models/architecture.js'
import { presets, withChanges } from '../models/index.js'
import type { StoredTensor } from '../weights/stored-tensor.js'
import { initialWeights } from './initial-weights.js'
import { type ModelFiles, parametersOf } from './model-files.js'

/** What came of a conversion. */
export interface Conversion {
  readonly files: ModelFiles
  /** Names of parameters that the source has. */
  readonly copied: readonly string[]
  /** Names of parameters that start anew: E-blocks, predictors, α and γ. */
  readonly fresh: readonly string[]
  /** Names of the source's parameters that the new model doesn't have. */
  readonly dropped: readonly string[]
}

/** What must agree between a ViT and the P-block that takes its weights. */
const sizes = ['patch_size', 'in_chans', 'embed_dim', 'depth', 'num_heads', 'mlp_ratio'] as const
/** What a conversion takes over from the source, whatever the configuration says. */
const inherited = ['image_size', 'num_classes', 'layer_norm_eps', 'distilled'] as const

function misfits(source: Architecture, target: Architecture): string[] {
  return sizes.filter((key) => source.json[key] !== target.json[key])
}

function checkSizes(source: Architecture, target: Architecture, targetName: string): void {
  const differing = misfits(source, target)
  if (differing.length === 0) return
  const list = differing.map((key) => `${key} ${source.json[key]}, not ${target.json[key]}`).join('; ')
  const fitting = Object.entries(presets)
    .filter(([, preset]) => preset.family !== 'vit' && misfits(source, preset).length === 0)
    .map(([name]) => name)
  const advice = fitting.length > 0 ? `Use ${fitting.join(' or ')}.` : 'Write a config.json that fits.'
  throw new BlvitError(
    'SHAPE_MISMATCH',
    `${targetName} doesn't fit these weights: the model has ${list}. ${advice}`,
    { differing, fitting },
  )
}

/**
 * Makes a model of another configuration from a ViT's weights (spec §3): what has the same name is copied, the
 * rest starts as its initialiser says. At keep ratio 1 and γ = 0 the converted model computes what the ViT does.
 * @param target the wanted configuration; image size, classes and distillation are the source's
 * @throws BlvitError `SHAPE_MISMATCH` if the P-block is not the source's size
 */
export function convert(
  source: ModelFiles,
  target: Architecture,
  { name = target.family, seed = 0 }: { name?: string; seed?: number } = {},
): Conversion {
  checkSizes(source.architecture, target, name)
  const changes = Object.fromEntries(inherited.map((key) => [key, source.architecture.json[key]]))
  const architecture = withChanges(target, changes)
  const weights = new Map<string, StoredTensor>()
  const copied: string[] = []
  const fresh: string[] = []
  for (const parameter of parametersOf(architecture)) {
    const stored = source.weights.get(parameter.name)
    const fits = stored !== undefined && stored.shape.join() === parameter.shape.join()
    weights.set(parameter.name, fits ? stored : initialWeights(parameter, { seed }))
    ;(fits ? copied : fresh).push(parameter.name)
  }
  const dropped = [...source.weights.keys()].filter((parameter) => !weights.has(parameter))
  return { files: { ...source, architecture, weights }, copied, fresh, dropped }
}
