import {
  add,
  argmax,
  logarithm,
  noiseInput,
  oneHot,
  scaleShift,
  softmax,
  stopGradient,
  subtract,
} from '../graph/ops/index.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'

// uniform numbers may be 0, and 1 in float32: the logarithm of neither's is a number
const margin = 1e-6

function uniform(name: string, shape: Tensor['shape']): Tensor {
  return scaleShift(noiseInput(name, shape), { scale: 1 - 2 * margin, shift: margin })
}

/**
 * Gumbel noise, −log of exponentially distributed numbers, of a shape, drawn by whoever feeds the graph.
 * @param name what a seed is mixed with
 */
export function gumbelNoise(name: string, shape: Tensor['shape']): Tensor {
  const exponential = scaleShift(logarithm(uniform(name, shape)), { scale: -1 })
  return scaleShift(logarithm(exponential), { scale: -1 })
}

/** The difference of two Gumbel numbers: log u − log(1 − u) of a uniform one. @param name as {@link gumbelNoise} */
export function gumbelDifference(name: string, shape: Tensor['shape']): Tensor {
  const u = uniform(name, shape)
  return subtract(logarithm(u), logarithm(scaleShift(u, { scale: -1, shift: 1 })))
}

/**
 * Draws one of the choices along the last axis, and learns as if it had taken all of them in proportion (Jang et al. 2017,
 * straight-through, temperature 1).
 * @param logProbabilities `[..., choices]` @param noise of that shape, see {@link gumbelNoise}
 * @returns 1 for the choice, 0 for the others
 */
export function drawnChoice(logProbabilities: Tensor, noise: Tensor): Tensor {
  const soft = softmax(add(logProbabilities, noise))
  const hard = oneHot(argmax(soft), { classes: sizeAt(soft, -1) })
  // first, so that the sum is exactly 0 or 1
  return add(hard, subtract(soft, stopGradient(soft)))
}
