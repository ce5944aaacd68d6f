import { divideBySize, multiply, reduceSum, reshape, scaleShift, subtract } from '../../graph/ops/index.js'
import { sizeAt, type Tensor } from '../../graph/tensor.js'
import { logSigmoid } from './log-sigmoid.js'

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
