import type { Parameter } from '../../graph/graph.js'
import { type FamilyFacts, type PartName, partNames } from '../../models/facts.js'
import { type ScopeShare, sumOf, type Tally, valuesOf } from './shares.js'

export type { PartName }

const bytesPerFloat = 4

/** One part of a model. */
export interface PartCost extends Tally {
  readonly part: PartName
  /** Its weights as F32. */
  readonly sizeBytes: number
}

/** A model by part, in the order in which data flows through it; parts that it doesn't have are left out. */
export function partCosts(
  shares: readonly ScopeShare[],
  parameters: readonly Parameter[],
  { partOf }: Pick<FamilyFacts, 'partOf'>,
): readonly PartCost[] {
  return partNames.flatMap((part) => {
    const count = parameters
      .filter(({ name }) => partOf(name) === part)
      .reduce((sum, parameter) => sum + valuesOf(parameter), 0)
    const { multiplyAdds } = sumOf(shares.filter(({ scope }) => partOf(`${scope}.`) === part))
    const absent = count + multiplyAdds.thop + multiplyAdds.full === 0
    return absent ? [] : [{ part, parameters: count, sizeBytes: bytesPerFloat * count, multiplyAdds }]
  })
}
