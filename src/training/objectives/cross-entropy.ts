import {
  divideBySize,
  logSoftmax,
  multiply,
  oneHot,
  reduceSum,
  reshape,
  scaleShift,
} from '../../graph/ops/index.js'
import { sizeAt, type Tensor } from '../../graph/tensor.js'

/**
 * Soft targets of labels: `1 − smoothing` at the label, and `smoothing` spread evenly over all classes.
 * @param labels int64 `[batch]` @returns `[batch, classes]`
 */
export function smoothedTargets(
  labels: Tensor,
  { classes, smoothing = 0.1 }: { classes: number; smoothing?: number },
): Tensor {
  return scaleShift(oneHot(labels, { classes }), { scale: 1 - smoothing, shift: smoothing / classes })
}

/**
 * Cross-entropy with soft targets, averaged over the pictures.
 * @param logits `[batch, classes]`, before softmax
 * @param targets `[batch, classes]`: probabilities, e.g. {@link smoothedTargets} or a mixup of them
 * @returns `[1]`
 */
export function crossEntropy(logits: Tensor, targets: Tensor): Tensor {
  const total = reshape(reduceSum(multiply(targets, logSoftmax(logits))), [1])
  return scaleShift(divideBySize(total, sizeAt(logits, 0)), { scale: -1 })
}
