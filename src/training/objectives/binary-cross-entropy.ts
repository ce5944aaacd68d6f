import {
  concat,
  constant,
  divideBySize,
  expand,
  logSoftmax,
  multiply,
  reduceSum,
  reshape,
  scaleShift,
  slice,
  subtract,
} from '../../graph/ops/index.js'
import { sizeAt, type Tensor } from '../../graph/tensor.js'

/** `log σ(z)`: the log-softmax of z beside 0, which neither overflows nor has a corner at 0. */
function logSigmoid(logits: Tensor): Tensor {
  const shape = [sizeAt(logits, 0), sizeAt(logits, 1)]
  const column = reshape(logits, [...shape, 1])
  const beside = concat([column, expand(constant(0, [1, 1, 1]), [...shape, 1])], { axis: 2 })
  return reshape(slice(logSoftmax(beside), { axis: 2, end: 1 }), shape)
}

/**
 * Cross-entropy of each class for itself, for pictures that may show several: `−t·log σ(z) − (1−t)·log σ(−z)`, summed over
 * the classes and averaged over the pictures.
 * @param logits `[batch, classes]`, before the sigmoid
 * @param targets `[batch, classes]`: 1 where a picture shows the class, else 0
 * @returns `[1]`
 */
export function binaryCrossEntropy(logits: Tensor, targets: Tensor): Tensor {
  // log σ(−z) = log σ(z) − z
  const absent = scaleShift(targets, { scale: -1, shift: 1 })
  const losses = subtract(multiply(absent, logits), logSigmoid(logits))
  return divideBySize(reshape(reduceSum(losses), [1]), sizeAt(logits, 0))
}
