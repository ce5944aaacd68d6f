import { ones, zeros } from '../graph/initialiser.js'
import {
  add,
  divide,
  mean,
  multiply,
  parameter,
  reshape,
  scaleShift,
  squareRoot,
  subtract,
} from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import type { Tensor } from '../graph/tensor.js'
import { channelsOf } from './convolution.js'

/**
 * A group norm of one group: over all channels and places of each map, with parameters `name.weight` and `name.bias` a channel
 * (Wu and He 2018).
 * @param map `[batch, channels, rows, columns]`
 */
export function wholeMapNorm(name: string, map: Tensor, { epsilon }: { epsilon: number }): Tensor {
  return scope(name, () => {
    const channels = channelsOf(map)
    const ofChannels = (x: Tensor) => reshape(x, [1, channels, 1, 1])
    const axes = [1, 2, 3]
    const centred = subtract(map, mean(map, { axes }))
    const variance = mean(multiply(centred, centred), { axes })
    const normed = divide(centred, squareRoot(scaleShift(variance, { shift: epsilon })))
    const scaled = multiply(normed, ofChannels(parameter('weight', [channels], ones)))
    return add(scaled, ofChannels(parameter('bias', [channels], zeros)))
  })
}
