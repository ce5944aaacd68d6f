import { ones, zeros } from '../graph/initialiser.js'
import { layerNorm as layerNormOp, mapToTokens, parameter } from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import type { Tensor } from '../graph/tensor.js'
import { placesOf, tokensToMap } from './convolution.js'
import { widthOf } from './linear.js'

/** LayerNorm over the last axis with parameters `name.weight` and `name.bias`. */
export function layerNorm(name: string, x: Tensor, options: { epsilon: number; kind?: string }): Tensor {
  return scope(name, () => {
    const width = widthOf(x)
    return layerNormOp(x, parameter('weight', [width], ones), parameter('bias', [width], zeros), options)
  })
}

/** SAM's code has a class of its own for LayerNorms over the channels of each place of a map, which profilers of LayerNorms don't see. */
export const placesNorm = { kind: 'normalisedPlaces' } as const

/**
 * LayerNorm over the channels of each place of a map, with parameters `name.weight` and `name.bias`.
 * @param map `[batch, channels, rows, columns]`
 */
export function layerNorm2d(name: string, map: Tensor, options: { epsilon: number }): Tensor {
  return tokensToMap(layerNorm(name, mapToTokens(map), { ...options, ...placesNorm }), placesOf(map))
}
