import type { Parameter } from '../graph/graph.js'
import type { FamilyFacts, NamedShape } from '../models/facts.js'

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

/** Multiplies the learning rate of a parameter of this name. */
export type LearningRateScale = (name: string) => number

export interface TreatmentOptions {
  readonly groups: readonly ParameterGroup[]
  readonly layerScale?: LearningRateScale | undefined
  readonly weightDecay: number
  /** Whether a parameter is decayed where no group says. */
  readonly isDecayed: (parameter: NamedShape) => boolean
}

/** How a parameter is to be trained. */
export function treatmentOf(
  parameter: Parameter,
  { groups, layerScale, weightDecay, isDecayed }: TreatmentOptions,
): Treatment {
  const group = groups.find(({ matches }) => matches(parameter.name))
  return {
    learningRateScale: group?.learningRateScale ?? layerScale?.(parameter.name) ?? 1,
    weightDecay: group?.weightDecay ?? (isDecayed(parameter) ? weightDecay : 0),
    frozen: group?.frozen ?? false,
  }
}

/**
 * Layer-wise learning-rate decay (BEiT, DeiT III): the head learns at the full rate and each layer below at `decay`
 * times the rate of the one above it, down to the embeddings, at `decay^(depth + 1)`.
 */
export function layerDecay(
  { depth, layerOf }: Pick<FamilyFacts, 'depth' | 'layerOf'>,
  { decay }: { decay: number },
): LearningRateScale {
  return (name) => decay ** (depth + 1 - layerOf(name))
}
