import {
  divide,
  exponential,
  greater,
  logSoftmax,
  maximum,
  multiply,
  reduceSum,
  reshape,
  scaleShift,
  subtract,
} from '../../graph/ops/index.js'
import { sizeAt, type Tensor } from '../../graph/tensor.js'

/** The tokens that are compared. */
export interface KeptTokens {
  /** `[batch, tokens, width]` */
  readonly student: Tensor
  /** `[batch, tokens, width]` */
  readonly teacher: Tensor
  /** Above ½ for tokens that count; no gradient flows into it. `[batch, tokens]` */
  readonly kept: Tensor
}

/** The mean of what each token has over the kept tokens; 0 where none is kept. @param each `[batch, tokens, 1]` @returns `[1]` */
function meanOfKept(each: Tensor, kept: Tensor): Tensor {
  const counts = greater(kept, 0.5)
  const total = reduceSum(multiply(reshape(each, kept.shape), counts))
  return reshape(divide(total, maximum(reduceSum(counts), 1)), [1])
}

/**
 * The mean squared error of the tokens that a student keeps (Rao et al. 2021, equation 11, as its code has it for DeiT).
 * @returns `[1]`
 */
export function keptTokenError({ student, teacher, kept }: KeptTokens): Tensor {
  const apart = subtract(student, teacher)
  const ofTokens = reduceSum(multiply(apart, apart), { axes: [-1] })
  return scaleShift(meanOfKept(ofTokens, kept), { scale: 1 / Number(sizeAt(student, -1)) })
}

/**
 * The KL divergence of the tokens that a student keeps, each token's channels taken for a distribution (as the code of
 * DynamicViT has it for LV-ViT).
 * @returns `[1]`
 */
export function keptTokenDivergence({ student, teacher, kept }: KeptTokens): Tensor {
  const [ours, theirs] = [logSoftmax(student), logSoftmax(teacher)]
  const ofTokens = reduceSum(multiply(exponential(theirs), subtract(theirs, ours)), { axes: [-1] })
  return meanOfKept(ofTokens, kept)
}
