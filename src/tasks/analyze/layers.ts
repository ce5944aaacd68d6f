import { type Bindings, evaluate } from '../../graph/dim.js'
import type { Graph } from '../../graph/graph.js'
import { sizeAt } from '../../graph/tensor.js'
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

/** The layer that a scope belongs to: its first part, with the number if it is one of a list. */
function layerOf(scope: string): string {
  const [list = '', index] = scope.split('.', 2)
  if (list === '' || list === 'patch_embed') return 'stem'
  return index !== undefined && /^\d+$/.test(index) ? `${list}.${index}` : list
}

/** How many tokens each block's MLP sees: its first map has a row for each. */
function tokensByBlock(graph: Graph, bindings: Bindings): ReadonlyMap<string, number> {
  const tokens = new Map<string, number>()
  for (const node of graph.nodes) {
    const block = /^(.+\.\d+)\.mlp\.fc1$/.exec(node.scope)?.[1]
    if (block !== undefined && node.cost().linear !== 0) {
      tokens.set(block, evaluate(sizeAt(node, -2), bindings))
    }
  }
  return tokens
}

/** Stem, blocks, predictors, norm and head, in the order in which the model computes. */
export function layerCosts(
  shares: readonly ScopeShare[],
  { graph, history, bindings }: { graph: Graph; history: readonly TokenEvent[]; bindings: Bindings },
): readonly LayerCost[] {
  const layers = new Map<string, ScopeShare[]>()
  for (const share of shares) {
    const layer = layerOf(share.scope)
    layers.set(layer, [...(layers.get(layer) ?? []), share])
  }
  const tokens = tokensByBlock(graph, bindings)
  const chosen = new Map(
    routesOf(history).map((route) => [`blocks.${route.layer - 1}`, evaluate(route.chosen, bindings)]),
  )
  return [...layers]
    .map(([name, members]) => {
      const little = members.filter(({ scope }) => `${scope}.`.startsWith(`${name}.little.`))
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
