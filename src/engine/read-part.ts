import type { Graph } from '../graph/graph.js'
import type { Precision } from '../graph/lowering.js'
import { narrow } from '../graph/narrow.js'

/**
 * What an engine computes of a graph: no more than its outputs need, see {@link narrow}. In int8, where all rows of a product
 * share a scale, other rows would change the answers, so there it is the whole graph.
 */
export function readPart(
  graph: Graph,
  { precision = 'fp32' }: { readonly precision?: Precision | undefined },
): Graph {
  return precision === 'int8' ? graph : narrow(graph)
}
