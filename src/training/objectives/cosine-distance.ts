import { divide, maximum, mean, multiply, reduceSum, scaleShift, squareRoot } from '../../graph/ops/index.js'
import type { Tensor } from '../../graph/tensor.js'

/** Squared length below which a token has no direction; keeps the gradient of an all-zero token at 0. */
const leastSquare = 1e-16

function lengthOf(x: Tensor): Tensor {
  return squareRoot(maximum(reduceSum(multiply(x, x), { axes: [-1] }), leastSquare))
}

/**
 * Feature distillation: `1 − cos` between a student's and its teacher's tokens, averaged over pictures and
 * tokens, the class token included (bLViT spec §5).
 * @param student `[batch, tokens, width]` @param teacher `[batch, tokens, width]`, in the same order
 * @returns `[1]`
 */
export function cosineDistance(student: Tensor, teacher: Tensor): Tensor {
  const products = reduceSum(multiply(student, teacher), { axes: [-1] })
  const cosines = divide(products, multiply(lengthOf(student), lengthOf(teacher)))
  return scaleShift(mean(cosines), { scale: -1, shift: 1 })
}
