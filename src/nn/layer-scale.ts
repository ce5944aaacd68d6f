import { constantOf } from '../graph/initialiser.js'
import { multiply, parameter } from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import type { Tensor } from '../graph/tensor.js'
import { widthOf } from './linear.js'

/**
 * LayerScale (Touvron et al. 2021): one learned factor a channel, `name.gamma`, on what a half-block adds.
 * @param start of the factors; undefined: there are none, and the update stays as it is
 */
export function layerScale(name: string, update: Tensor, start: number | undefined): Tensor {
  if (start === undefined) return update
  return scope(name, () => multiply(update, parameter('gamma', [widthOf(update)], constantOf(start))))
}
