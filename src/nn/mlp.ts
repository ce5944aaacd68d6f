import { scope } from '../graph/scope.js'
import type { Tensor } from '../graph/tensor.js'
import { type ActivationName, activations } from './activations.js'
import { linear, widthOf } from './linear.js'

export interface MlpOptions {
  readonly hidden: number
  /** Between the two maps. Default: the exact GELU. */
  readonly activation?: ActivationName
  /** Of both maps. Default true. */
  readonly bias?: boolean
  /** Of the two maps. Default: `fc1` and `fc2`, as timm calls them. */
  readonly names?: readonly [string, string]
}

/** The feed-forward half of a block: a wide linear map, an activation, a map back. @param x `[batch, tokens, width]` */
export function mlp(
  name: string,
  x: Tensor,
  { hidden, activation = 'gelu', bias = true, names: [first, second] = ['fc1', 'fc2'] }: MlpOptions,
): Tensor {
  return scope(name, () => {
    const inner = activations[activation](linear(first, x, { out: hidden, bias }))
    return linear(second, inner, { out: widthOf(x), bias })
  })
}
