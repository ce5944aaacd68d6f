import {
  add,
  divide,
  divideBySize,
  greater,
  multiply,
  reduceSum,
  reshape,
  scaleShift,
  sigmoid,
  subtract,
} from '../../graph/ops/index.js'
import { sizeAt, type Tensor } from '../../graph/tensor.js'
import { logSigmoid } from './log-sigmoid.js'

/** Weight of pixels that are meant; the others have the rest. */
const meantWeight = 0.25

/** Over the pixels of each mask. @param x `[masks, pixels]` @returns `[masks]` */
function sumOfEach(x: Tensor): Tensor {
  return reshape(reduceSum(x, { axes: [1] }), [sizeAt(x, 0)])
}

function inverse(x: Tensor): Tensor {
  return scaleShift(x, { scale: -1, shift: 1 })
}

/**
 * Focal loss with γ 2 and α 0.25 (Lin et al. 2017), as Segment Anything has it: pixels that are right already count little.
 * @param logits `[masks, pixels]`, before the sigmoid
 * @param targets `[masks, pixels]`: 1 where a pixel is meant, else 0
 * @returns `[masks]`, means over the pixels
 */
export function focalLoss(logits: Tensor, targets: Tensor): Tensor {
  const meant = sigmoid(logits)
  // how sure of the wrong answer
  const wrong = add(multiply(targets, inverse(meant)), multiply(inverse(targets), meant))
  // log σ(−z) = log σ(z) − z
  const logRight = subtract(logSigmoid(logits), multiply(inverse(targets), logits))
  const weights = scaleShift(targets, { scale: 2 * meantWeight - 1, shift: 1 - meantWeight })
  const losses = multiply(multiply(weights, multiply(wrong, wrong)), scaleShift(logRight, { scale: -1 }))
  return divideBySize(sumOfEach(losses), sizeAt(logits, 1))
}

/**
 * Dice loss of probabilities, 1 − (2·Σp·y + 1) / (Σp + Σy + 1) (Milletari et al. 2016): small objects count as much as large ones.
 * @param logits `[masks, pixels]` @param targets `[masks, pixels]` @returns `[masks]`
 */
export function diceLoss(logits: Tensor, targets: Tensor): Tensor {
  const meant = sigmoid(logits)
  const shared = scaleShift(sumOfEach(multiply(meant, targets)), { scale: 2, shift: 1 })
  const both = scaleShift(add(sumOfEach(meant), sumOfEach(targets)), { shift: 1 })
  return inverse(divide(shared, both))
}

/**
 * How much a mask overlaps the truth, 0 … 1: what a predicted IoU is to be. Nothing learns through it.
 * @param logits `[masks, pixels]`, meant above 0 @param targets `[masks, pixels]`, of which some are 1 @returns `[masks]`
 */
export function overlapOfMasks(logits: Tensor, targets: Tensor): Tensor {
  const meant = greater(logits, 0)
  const shared = sumOfEach(multiply(meant, targets))
  return divide(shared, subtract(add(sumOfEach(meant), sumOfEach(targets)), shared))
}
