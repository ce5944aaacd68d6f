import { conventions } from './cost.js'
import { type Bindings, evaluate } from './dim.js'
import type { Graph } from './graph.js'

/** All multiply-adds of a graph, attention and backward pass included, as its ops tell them. */
export function graphWork({ nodes }: Graph, sizes: Bindings): number {
  return nodes.reduce((sum, node) => sum + evaluate(conventions.full(node.cost()), sizes), 0)
}
