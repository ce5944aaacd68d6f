import { ones, zeros } from '../graph/initialiser.js'
import { layerNorm as layerNormOp, parameter } from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import type { Tensor } from '../graph/tensor.js'
import { widthOf } from './linear.js'

/** LayerNorm over the last axis with parameters `name.weight` and `name.bias`. */
export function layerNorm(name: string, x: Tensor, { epsilon }: { epsilon: number }): Tensor {
  return scope(name, () => {
    const width = widthOf(x)
    return layerNormOp(x, parameter('weight', [width], ones), parameter('bias', [width], zeros), { epsilon })
  })
}
