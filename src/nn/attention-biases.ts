import { truncatedNormal } from '../graph/initialiser.js'
import { parameter, pick, reshape } from '../graph/ops/index.js'
import type { Tensor } from '../graph/tensor.js'

/** The number of the bias between each two places of a square window: by how far their rows and their columns are apart. */
function biasNumbers(side: number): readonly number[] {
  const numbers: number[] = []
  const places = side * side
  for (let one = 0; one < places; one++) {
    for (let other = 0; other < places; other++) {
      const down = Math.abs(Math.floor(one / side) - Math.floor(other / side))
      numbers.push(down * side + Math.abs((one % side) - (other % side)))
    }
  }
  return numbers
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
