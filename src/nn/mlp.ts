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
}

/** The feed-forward half of a block: `name.fc1`, an activation, `name.fc2`. @param x `[batch, tokens, width]` */
export function mlp(
  name: string,
  x: Tensor,
  { hidden, activation = 'gelu', bias = true }: MlpOptions,
): Tensor {
  return scope(name, () => {
    const inner = activations[activation](linear('fc1', x, { out: hidden, bias }))
    return linear('fc2', inner, { out: widthOf(x), bias })
  })
}
