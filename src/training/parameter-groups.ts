import type { Parameter } from '../graph/graph.js'

/** How some parameters are trained differently from the rest. */
export interface ParameterGroup {
  /** Whether a parameter of this name belongs to the group. The first group that matches counts. */
  readonly matches: (name: string) => boolean
  /** Multiplies the learning rate (1). */
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

/** How a parameter is to be trained. */
export function treatmentOf(
  parameter: Parameter,
  { groups, weightDecay }: { groups: readonly ParameterGroup[]; weightDecay: number },
): Treatment {
  const group = groups.find(({ matches }) => matches(parameter.name))
  return {
    learningRateScale: group?.learningRateScale ?? 1,
    weightDecay: group?.weightDecay ?? (isDecayed(parameter) ? weightDecay : 0),
    frozen: group?.frozen ?? false,
  }
}
