import { type Bindings, evaluate } from '../../graph/dim.js'
import type { Graph } from '../../graph/graph.js'
import { sizeAt } from '../../graph/tensor.js'
import type { FamilyFacts } from '../../models/facts.js'
import { routesOf, type TokenEvent } from '../../models/token-history.js'
import { type MultiplyAdds, type ScopeShare, sumOf, type Tally } from './shares.js'

/** A row of the model's table of layers. */
export interface LayerCost extends Tally {
  /** `stem`, `blocks.0`, `predictors.0`, …, `norm`, `head`: scopes of the graph, but for the stem. */
  readonly name: string
  /** How many tokens of a picture its P-block, or its only block, processes; absent where there is none. */
  readonly tokens?: number
  /** The E-block's part of the multiply-adds; absent where there is no E-block. */
  readonly little?: MultiplyAdds
  /** How many patches are chosen after it; absent where none are. */
  readonly selects?: number
}

/** The scopes of all blocks. */
function blocksOf({ depth, blockScopes }: Pick<FamilyFacts, 'depth' | 'blockScopes'>): readonly string[] {
  return Array.from({ length: depth }, (_, i) => blockScopes(i + 1).block)
}

/** The layer that a scope belongs to: its block, or its first part, with the number if it is one of a list. */
function layerOf(scope: string, facts: FamilyFacts, blocks: readonly string[]): string {
  const own = blocks.find((block) => `${scope}.`.startsWith(`${block}.`))
  if (own !== undefined) return own
  const part = facts.partOf(`${scope}.`)
  if (scope === '' || part === 'patchEmbedding' || part === 'tokens') return 'stem'
  const [list = '', index] = scope.split('.', 2)
  return index !== undefined && /^\d+$/.test(index) ? `${list}.${index}` : list
}

/** How many tokens each block processes. */
function tokensByBlock(graph: Graph, facts: FamilyFacts, bindings: Bindings): ReadonlyMap<string, number> {
  const blocks = new Map(
    Array.from({ length: facts.depth }, (_, i) => facts.blockScopes(i + 1)).map(({ block, rows }) => [
      rows,
      block,
    ]),
  )
  return new Map(
    graph.nodes.flatMap((node) => {
      const block = node.cost().linear === 0 ? undefined : blocks.get(node.scope)
      return block === undefined ? [] : [[block, evaluate(sizeAt(node, -2), bindings)] as const]
    }),
  )
}

/** Stem, blocks, predictors, norm and head, in the order in which the model computes. */
export function layerCosts(
  shares: readonly ScopeShare[],
  {
    graph,
    facts,
    history,
    bindings,
  }: { graph: Graph; facts: FamilyFacts; history: readonly TokenEvent[]; bindings: Bindings },
): readonly LayerCost[] {
  const layers = new Map<string, ScopeShare[]>()
  const blocks = blocksOf(facts)
  for (const share of shares) {
    const layer = layerOf(share.scope, facts, blocks)
    layers.set(layer, [...(layers.get(layer) ?? []), share])
  }
  const tokens = tokensByBlock(graph, facts, bindings)
  const chosen = new Map(
    routesOf(history).map((route) => [
      facts.blockScopes(route.layer).block,
      evaluate(route.chosen, bindings),
    ]),
  )
  return [...layers]
    .map(([name, members]) => {
      const little = members.filter(({ scope }) => facts.partOf(`${scope}.`) === 'littleBlocks')
      const [processed, selects] = [tokens.get(name), chosen.get(name)]
      return {
        name,
        ...sumOf(members),
        ...(processed === undefined ? {} : { tokens: processed }),
        ...(little.length === 0 ? {} : { little: sumOf(little).multiplyAdds }),
        ...(selects === undefined ? {} : { selects }),
      }
    })
    .filter(({ parameters, multiplyAdds }) => parameters + multiplyAdds.thop + multiplyAdds.full > 0)
}
