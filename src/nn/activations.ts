import { gelu, multiply, relu, scaleShift, sigmoid, silu } from '../graph/ops/index.js'
import type { Tensor } from '../graph/tensor.js'

/** OpenAI's quick form of GELU: `x·σ(1.702·x)`. */
function quickGelu(x: Tensor): Tensor {
  return multiply(x, sigmoid(scaleShift(x, { scale: 1.702 })))
}

/** GELU by the formula with tanh (Hendrycks and Gimpel 2016); (1 + tanh z)/2 is σ(2z). */
function geluTanh(x: Tensor): Tensor {
  const cubed = multiply(x, scaleShift(multiply(x, x), { scale: 0.044715, shift: 1 }))
  return multiply(x, sigmoid(scaleShift(cubed, { scale: 2 * Math.sqrt(2 / Math.PI) })))
}

/** What can stand between the maps of an MLP, element by element, by the names of timm. */
export const activations = {
  gelu,
  gelu_tanh: geluTanh,
  quick_gelu: quickGelu,
  relu,
  silu,
} as const satisfies Record<string, (x: Tensor) => Tensor>

export type ActivationName = keyof typeof activations
