import { type Bindings, type Dim, elements, evaluate, plus, times } from '../../graph/dim.js'
import type { Graph } from '../../graph/graph.js'
import { sizeAt, type Tensor } from '../../graph/tensor.js'

/** The attention map that a product with heads writes: heads × queries × keys. */
function attentionMap({ inputs, attributes }: Tensor): Dim {
  const [queries, keys] = inputs
  if (typeof attributes.heads !== 'number' || queries === undefined || keys === undefined) return 0
  const pairs = times(sizeAt(queries, -2), sizeAt(keys, -2))
  return times(attributes.heads, times(sizeAt(queries, 0), pairs))
}

function written(node: Tensor): Dim {
  const { linear, attention } = node.cost()
  if (linear === 0 && attention === 0) return 0
  return attention === 0 ? elements(node.shape) : plus(elements(node.shape), attentionMap(node))
}

/**
 * Elements written by linear maps, convolutions and the two attention products: fvcore's convention, which
 * counts the attention map even though a fused kernel never writes it. ViT-B: 23.9 M, as timm lists it.
 */
export function activationsOf(graph: Graph, bindings: Bindings): number {
  return evaluate(
    graph.nodes.reduce<Dim>((sum, node) => plus(sum, written(node)), 0),
    bindings,
  )
}
