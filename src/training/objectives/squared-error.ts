import { divide, mean, multiply, reduceSum, reshape, subtract } from '../../graph/ops/index.js'
import type { Tensor } from '../../graph/tensor.js'

function square(x: Tensor): Tensor {
  return multiply(x, x)
}

/** The mean of `(x − target)²` over all elements. @param target of the shape of `x` @returns `[1]` */
export function meanSquaredError(x: Tensor, target: Tensor): Tensor {
  return mean(square(subtract(x, target)))
}

/**
 * The squared error ÷ the squared norm of the target, over all elements: 0 is perfect, 1 as good as zeros.
 * Doesn't depend on the target's scale, unlike {@link meanSquaredError}.
 * @param target of the shape of `x`, not all zeros
 * @returns `[1]`
 */
export function normalisedSquaredError(x: Tensor, target: Tensor): Tensor {
  const error = reduceSum(square(subtract(x, target)))
  return reshape(divide(error, reduceSum(square(target))), [1])
}
