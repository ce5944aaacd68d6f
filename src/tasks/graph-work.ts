import { conventions } from '../graph/cost.js'
import { type Bindings, evaluate } from '../graph/dim.js'
import type { Graph } from '../graph/graph.js'

/** All multiply-adds of a graph, attention and backward pass included, as its ops tell them. */
export function graphWork({ nodes }: Graph, sizes: Bindings): number {
  return nodes.reduce((sum, node) => sum + evaluate(conventions.full(node.cost()), sizes), 0)
}
