import type { Tensor } from '../../graph/tensor.js'
import { convolution } from '../../nn/convolution.js'
import { layerNorm2d } from '../../nn/layer-norm.js'

/** Of the norms of maps, whatever those of tokens have. */
export const mapEpsilon = 1e-6

/**
 * What an encoder found at the width of an embedding, step by step; parameters `neck.0`, …, `neck.3` (Li et al. 2022, ViTDet).
 * @param map `[batch, any, rows, columns]` @returns the last is the embedding, `[batch, width, rows, columns]`
 */
export function neck(map: Tensor, { width }: { readonly width: number }): readonly Tensor[] {
  const norm = { epsilon: mapEpsilon }
  const narrow = convolution('neck.0', map, { out: width, bias: false })
  const normed = layerNorm2d('neck.1', narrow, norm)
  const mixed = convolution('neck.2', normed, { out: width, kernel: 3, bias: false })
  return [narrow, normed, mixed, layerNorm2d('neck.3', mixed, norm)]
}
