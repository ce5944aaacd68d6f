import type { Parameter } from '../graph/graph.js'

/** How some parameters are trained differently from the rest. */
export interface ParameterGroup {
  /** Whether a parameter of this name belongs to the group. The first group that matches counts. */
  readonly matches: (name: string) => boolean
  /** Multiplies the learning rate. Default: as the layer's depth says, 1 without layer decay. */
  readonly learningRateScale?: number
  /** Replaces the optimiser's weight decay. */
  readonly weightDecay?: number
  /** Stays as it is: no gradient is computed and the engine reads it like any weight. */
  readonly frozen?: boolean
}

/** A group with everything decided. */
export type Treatment = Required<Omit<ParameterGroup, 'matches'>>

const neverDecayed = ['pos_embed', 'cls_token', 'dist_token']

/** Biases, norms and other 1-D tensors, position embedding and prefix tokens aren't decayed (spec §5). */
function isDecayed({ name, shape }: Parameter): boolean {
  return shape.length > 1 && !neverDecayed.includes(name.split('.').at(-1) ?? '')
}

/** Multiplies the learning rate of a parameter of this name. */
export type LearningRateScale = (name: string) => number

/** How a parameter is to be trained. */
export function treatmentOf(
  parameter: Parameter,
  {
    groups,
    layerScale,
    weightDecay,
  }: { groups: readonly ParameterGroup[]; layerScale?: LearningRateScale | undefined; weightDecay: number },
): Treatment {
  const group = groups.find(({ matches }) => matches(parameter.name))
  return {
    learningRateScale: group?.learningRateScale ?? layerScale?.(parameter.name) ?? 1,
    weightDecay: group?.weightDecay ?? (isDecayed(parameter) ? weightDecay : 0),
    frozen: group?.frozen ?? false,
  }
}

/** The layer whose depth a parameter shares: 0 for embeddings, `depth + 1` for everything after the last block. */
function layerOf(name: string, depth: number, predictorAfter: readonly number[]): number {
  if (/(^|\.)(cls_token|dist_token|pos_embed|patch_embed\..*)$/.test(name)) return 0
  const [, block] = /(?:^|\.)blocks\.(\d+)\./.exec(name) ?? []
  if (block !== undefined) return Number(block) + 1
  const [, predictor] = /(?:^|\.)predictors\.(\d+)\./.exec(name) ?? []
  return (predictor === undefined ? undefined : predictorAfter[Number(predictor)]) ?? depth + 1
}

/**
 * Layer-wise learning-rate decay (BEiT, DeiT III): the head learns at the full rate and each layer below at `decay`
 * times the rate of the one above it, down to the embeddings, at `decay^(depth + 1)`. A predictor learns as the layer
 * that it stands behind.
 * @param options `predictorAfter`: layers that predictors stand behind, counted from 1
 */
export function layerDecay({
  decay,
  depth,
  predictorAfter = [],
}: {
  decay: number
  depth: number
  predictorAfter?: readonly number[]
}): LearningRateScale {
  return (name) => decay ** (depth + 1 - layerOf(name, depth, predictorAfter))
}
