import { add, argsort, reshape, scaleShift, slice } from '../../graph/ops/index.js'
import { sizeAt, type Tensor } from '../../graph/tensor.js'
import { crossEntropy, smoothedTargets } from './cross-entropy.js'
import { klDivergence } from './kl-divergence.js'

/** What a distilled DeiT is trained with: each of its two heads learns from another source. All `[batch, classes]`. */
export interface DeitAnswers {
  /** Of the class token, before softmax. */
  readonly classLogits: Tensor
  /** Of the distillation token, before softmax. */
  readonly distillationLogits: Tensor
  /** Of the teacher, before softmax. */
  readonly teacherLogits: Tensor
  /** Probabilities for the class token, e.g. smoothed labels or a mixup of them. */
  readonly targets: Tensor
}

/** `(1 − α)·own + α·taught` */
function mixed(own: Tensor, taught: Tensor, alpha: number): Tensor {
  return add(scaleShift(own, { scale: 1 - alpha }), scaleShift(taught, { scale: alpha }))
}

/** The class that each picture's logits rank first; of equal ones the first. @returns int64 `[batch]` */
function firstChoice(logits: Tensor): Tensor {
  return reshape(slice(argsort(logits), { axis: 1, end: 1 }), [sizeAt(logits, 0)])
}

/**
 * DeiT's hard distillation (Touvron et al. 2021, equation 3): the class token learns the labels, the distillation
 * token what the teacher takes for the label.
 * @param options `alpha`: the teacher's part (0.5) @returns `[1]`
 */
export function hardDistillation(
  { classLogits, distillationLogits, teacherLogits, targets }: DeitAnswers,
  { alpha = 0.5 }: { alpha?: number } = {},
): Tensor {
  const classes = Number(sizeAt(teacherLogits, 1))
  const taught = smoothedTargets(firstChoice(teacherLogits), { classes, smoothing: 0 })
  return mixed(crossEntropy(classLogits, targets), crossEntropy(distillationLogits, taught), alpha)
}

/**
 * DeiT's soft distillation (equation 2): the distillation token learns the teacher's whole distribution. Averaged over
 * pictures and classes, as in DeiT's code.
 * @param options `alpha`: the teacher's part (0.1), `temperature`: softens both distributions (3) @returns `[1]`
 */
export function softDistillation(
  { classLogits, distillationLogits, teacherLogits, targets }: DeitAnswers,
  { alpha = 0.1, temperature = 3 }: { alpha?: number; temperature?: number } = {},
): Tensor {
  const taught = klDivergence(distillationLogits, teacherLogits, { temperature, average: 'elements' })
  return mixed(crossEntropy(classLogits, targets), taught, alpha)
}
