import { defined } from '../../base/assert.js'
import {
  add,
  divide,
  divideBySize,
  greater,
  less,
  mean,
  multiply,
  reduceSum,
  reshape,
  scaleShift,
  sigmoid,
  slice,
  subtract,
  where,
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

/** What a model answers to prompts, and what is true. */
interface PromptAnswers {
  /** The single mask first. `[prompts, 1 + masks, rows, columns]` */
  readonly logits: Tensor
  /** `[prompts, 1 + masks]` */
  readonly overlapPredictions: Tensor
  /** `[prompts, rows · columns]` */
  readonly targets: Tensor
  /** 1 where several objects may be meant: the best of the several masks then counts; 0: the single mask does. `[prompts]` */
  readonly ambiguous: Tensor
}

interface MaskLosses {
  /** The weighted focal and dice loss of the masks that count. `[1]` */
  readonly masks: Tensor
  /** Squared error of the predicted overlaps: of the single mask, or of all of the several. `[1]` */
  readonly overlap: Tensor
  /** How much the masks that count overlap the truth, 0 … 1; nothing learns through it. `[1]` */
  readonly iou: Tensor
}

/**
 * The losses of Segment Anything (Kirillov et al. 2023, appendix A): where a prompt is ambiguous, only the mask that is least
 * wrong learns.
 */
export function maskLosses(
  { logits, overlapPredictions, targets, ambiguous }: PromptAnswers,
  weights: { readonly focal: number; readonly dice: number },
): MaskLosses {
  const prompts = sizeAt(logits, 0)
  const answers = Array.from({ length: Number(sizeAt(logits, 1)) }, (_, at) => {
    const own = reshape(slice(logits, { axis: 1, start: at, end: at + 1 }), targets.shape)
    const predicted = reshape(slice(overlapPredictions, { axis: 1, start: at, end: at + 1 }), [prompts])
    const iou = overlapOfMasks(own, targets)
    const error = subtract(predicted, iou)
    return {
      loss: add(
        scaleShift(focalLoss(own, targets), { scale: weights.focal }),
        scaleShift(diceLoss(own, targets), { scale: weights.dice }),
      ),
      ...{ iou, overlap: multiply(error, error) },
    }
  })
  const [first, ...several] = answers
  const single = defined(first, 'a mask')
  const best = several.reduce((best, other) => {
    const isBetter = less(other.loss, best.loss)
    return {
      loss: where(isBetter, other.loss, best.loss),
      iou: where(isBetter, other.iou, best.iou),
      overlap: add(best.overlap, other.overlap),
    }
  })
  const counted = (ofSeveral: Tensor, ofSingle: Tensor) => mean(where(ambiguous, ofSeveral, ofSingle))
  return {
    masks: counted(best.loss, single.loss),
    overlap: counted(scaleShift(best.overlap, { scale: 1 / several.length }), single.overlap),
    iou: counted(best.iou, single.iou),
  }
}
