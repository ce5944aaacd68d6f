import { concat, constant, expand, logSoftmax, reshape, slice } from '../../graph/ops/index.js'
import { sizeAt, type Tensor } from '../../graph/tensor.js'

/** `log σ(z)`: the log-softmax of z beside 0, which neither overflows nor has a corner at 0. @param logits of rank 2 */
export function logSigmoid(logits: Tensor): Tensor {
  const shape = [sizeAt(logits, 0), sizeAt(logits, 1)]
  const column = reshape(logits, [...shape, 1])
  const beside = concat([column, expand(constant(0, [1, 1, 1]), [...shape, 1])], { axis: 2 })
  return reshape(slice(logSoftmax(beside), { axis: 2, end: 1 }), shape)
}
