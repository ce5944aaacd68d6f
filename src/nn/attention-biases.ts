import { truncatedNormal } from '../graph/initialiser.js'
import { parameter, pick, reshape } from '../graph/ops/index.js'
import type { Tensor } from '../graph/tensor.js'

/** The number of the bias between each two places of a square window: by how far their rows and their columns are apart. */
function biasNumbers(side: number): readonly number[] {
  const places = Array.from({ length: side * side }, (_, at) => [Math.floor(at / side), at % side] as const)
  return places.flatMap(([row, column]) =>
    places.map(([otherRow, otherColumn]) => Math.abs(row - otherRow) * side + Math.abs(column - otherColumn)),
  )
}

/**
 * A learned bias of attention a head for each distance in a square window (Graham et al. 2021, LeViT), spread over its pairs of
 * places; parameter `attention_biases` in the current scope. @returns `[heads, side², side²]`
 */
export function attentionBiases({ heads, side }: { readonly heads: number; readonly side: number }): Tensor {
  const places = side * side
  const biases = parameter('attention_biases', [heads, places], truncatedNormal)
  return reshape(pick(biases, biasNumbers(side), { axis: 1 }), [heads, places, places])
}
