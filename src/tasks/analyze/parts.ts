import type { Parameter } from '../../graph/graph.js'
import { type ScopeShare, sumOf, type Tally, valuesOf } from './shares.js'

const bytesPerFloat = 4

/**
 * What a model is made of, in the order in which data flows through it. The first pattern that matches the
 * name of a parameter or a scope (with a dot behind it) takes it.
 */
const patterns = {
  /** Patches to tokens. */
  patchEmbedding: /^patch_embed\./,
  /** Position embedding and prefix tokens. */
  tokens: /^(cls_token|dist_token|pos_embed)$/,
  /** The P-blocks; in a plain ViT all blocks. */
  blocks: /^blocks\.\d+\.(?!little\.|(alpha|gamma)[12]$)/,
  /** The E-blocks. */
  littleBlocks: /^blocks\.\d+\.little\./,
  /** α and γ. */
  gates: /^blocks\.\d+\.(alpha|gamma)[12]$/,
  predictors: /^predictors\./,
  norm: /^norm\./,
  head: /^head(_dist)?\./,
  other: /^/,
} as const

export type PartName = keyof typeof patterns

const partNames = Object.keys(patterns) as PartName[]

/** One part of a model. */
export interface PartCost extends Tally {
  readonly part: PartName
  /** Its weights as F32. */
  readonly sizeBytes: number
}

function partOf(name: string): PartName {
  return partNames.find((part) => patterns[part].test(name)) ?? 'other'
}

/** A model by part; parts that it doesn't have are left out. */
export function partCosts(
  shares: readonly ScopeShare[],
  parameters: readonly Parameter[],
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
