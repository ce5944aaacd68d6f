import { gelu } from '../../graph/ops/index.js'
import { layerNorm } from '../../nn/layer-norm.js'
import { linear, widthOf } from '../../nn/linear.js'
import type { PredictionLayer } from './prediction-layer.js'

/**
 * LayerNorm, half the width, GELU, one number: 1 % of a T+48's multiply-adds, and it finds far more of the patches that the
 * class token will look at (docs/training.md). Parameters `norm`, `fc1 [width/2, width]`, `fc2 [1, width/2]`.
 */
export const mlp: PredictionLayer = (patches, { layerNormEpsilon }) => {
  const normed = layerNorm('norm', patches, { epsilon: layerNormEpsilon })
  const hidden = Math.max(1, Math.floor(widthOf(patches) / 2))
  return linear('fc2', gelu(linear('fc1', normed, { out: hidden })), { out: 1 })
}
