import { ones, zeros } from '../graph/initialiser.js'
import {
  add,
  divide,
  mean,
  multiply,
  parameter,
  scaleShift,
  squareRoot,
  subtract,
} from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import type { Tensor } from '../graph/tensor.js'
import { widthOf } from './linear.js'

/**
 * A group norm of one group: over all channels and places of each map's tokens, with parameters `name.weight` and `name.bias` a channel
 * (Wu and He 2018).
 * @param tokens `[batch, places, channels]`
 */
export function wholeNorm(name: string, tokens: Tensor, { epsilon }: { epsilon: number }): Tensor {
  return scope(name, () => {
    const channels = widthOf(tokens)
    const axes = [1, 2]
    const centred = subtract(tokens, mean(tokens, { axes }))
    const variance = mean(multiply(centred, centred), { axes })
    const normed = divide(centred, squareRoot(scaleShift(variance, { shift: epsilon })))
    const scaled = multiply(normed, parameter('weight', [channels], ones))
    return add(scaled, parameter('bias', [channels], zeros))
  })
}
