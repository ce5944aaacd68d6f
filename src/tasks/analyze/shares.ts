import { type Convention, type Cost, conventions } from '../../graph/cost.js'
import { type Bindings, evaluate } from '../../graph/dim.js'
import type { Graph, Parameter } from '../../graph/graph.js'

/** Multiply-adds in each of the conventions of `graph/cost.ts`. */
export type MultiplyAdds = Readonly<Record<Convention, number>>

/** Parameters and work. */
export interface Tally {
  readonly parameters: number
  readonly multiplyAdds: MultiplyAdds
}

/** What one scope, without the scopes inside it, has and does. */
export interface ScopeShare extends Tally {
  /** E.g. `blocks.3.attn.qkv`; empty at the top. */
  readonly scope: string
}

const nothing: Tally = { parameters: 0, multiplyAdds: { linear: 0, thop: 0, full: 0 } }

/** A cost in numbers. */
function multiplyAddsOf(cost: Cost, bindings: Bindings): MultiplyAdds {
  return {
    linear: evaluate(conventions.linear(cost), bindings),
    thop: evaluate(conventions.thop(cost), bindings),
    full: evaluate(conventions.full(cost), bindings),
  }
}

/** The sum of tallies. Exact: all are whole numbers far below 2^53. */
export function sumOf(tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (a, b) => ({
      parameters: a.parameters + b.parameters,
      multiplyAdds: {
        linear: a.multiplyAdds.linear + b.multiplyAdds.linear,
        thop: a.multiplyAdds.thop + b.multiplyAdds.thop,
        full: a.multiplyAdds.full + b.multiplyAdds.full,
      },
    }),
    nothing,
  )
}

/** The number of values in a parameter. */
export function valuesOf({ shape }: Parameter): number {
  return shape.reduce((a, b) => a * b, 1)
}

/**
 * A model taken apart by scope, in the order in which it computes. Every node and every parameter is in
 * exactly one share, so any grouping of shares sums to the whole.
 */
export function scopeShares(
  graph: Graph,
  { parameters, bindings }: { parameters: readonly Parameter[]; bindings: Bindings },
): readonly ScopeShare[] {
  const work = graph.nodes.map((node) => ({
    scope: node.scope,
    parameters: 0,
    multiplyAdds: multiplyAddsOf(node.cost(), bindings),
  }))
  const held = parameters.map((parameter) => ({
    scope: parameter.name.slice(0, Math.max(0, parameter.name.lastIndexOf('.'))),
    parameters: valuesOf(parameter),
    multiplyAdds: nothing.multiplyAdds,
  }))
  const byScope = new Map<string, Tally[]>()
  for (const { scope, ...tally } of [...work, ...held]) {
    const tallies = byScope.get(scope)
    if (tallies) tallies.push(tally)
    else byScope.set(scope, [tally])
  }
  return [...byScope].map(([scope, tallies]) => ({ scope, ...sumOf(tallies) }))
}
