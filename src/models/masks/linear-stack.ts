import { keepsSize } from '../../graph/initialiser.js'
import type { Tensor } from '../../graph/tensor.js'
import { type ActivationName, activations } from '../../nn/activations.js'
import { linear, widthOf } from '../../nn/linear.js'

export interface LinearStackOptions {
  /** Of the maps, in order; at least one. */
  readonly names: readonly string[]
  /** Width between them. */
  readonly hidden: number
  readonly out: number
  /** Between them. */
  readonly activation: ActivationName
}

/** Linear maps with activations between them, in the current scope. @param x `[..., in]` @returns `[..., out]` */
export function linearStack(x: Tensor, { names, hidden, out, activation }: LinearStackOptions): Tensor {
  return names.reduce((read, name, at) => {
    const isLast = at === names.length - 1
    const mapped = linear(name, read, {
      out: isLast ? out : hidden,
      initialiser: keepsSize(widthOf(read)),
    })
    return isLast ? mapped : activations[activation](mapped)
  }, x)
}
