import { concat, gelu, maximum, multiply, reshape, scaleShift, slice, softmax } from '../graph/ops/index.js'
import type { Tensor } from '../graph/tensor.js'

function sigmoid(x: Tensor): Tensor {
  const column = reshape(x, [...x.shape, 1])
  const axis = x.shape.length
  const pair = softmax(concat([column, scaleShift(column, { scale: 0 })], { axis }))
  return reshape(slice(pair, { axis, end: 1 }), x.shape)
}

/** `x·σ(slope·x)`: SiLU, and with a slope of 1.702 OpenAI's quick form of GELU. */
function gated(x: Tensor, slope: number): Tensor {
  return multiply(x, sigmoid(scaleShift(x, { scale: slope })))
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
  quick_gelu: (x: Tensor) => gated(x, 1.702),
  relu: (x: Tensor) => maximum(x, 0),
  silu: (x: Tensor) => gated(x, 1),
} as const satisfies Record<string, (x: Tensor) => Tensor>

export type ActivationName = keyof typeof activations
