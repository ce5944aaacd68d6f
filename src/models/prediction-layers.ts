import { gelu } from '../graph/ops/index.js'
import type { Tensor } from '../graph/tensor.js'
import { layerNorm } from '../nn/layer-norm.js'
import { linearMap, linear as namedLinear, widthOf } from '../nn/linear.js'

interface PredictionLayerOptions {
  /** Added to the variance, where it has a norm. */
  readonly layerNormEpsilon: number
}

/**
 * What a prediction layer makes of patches, in the scope that it is called in.
 * @param patches `[batch, patches, width]` @returns a number for each, before the softmax. `[batch, patches, 1]`
 */
type PredictionLayer = (patches: Tensor, options: PredictionLayerOptions) => Tensor

/** x·w + b, the simplest reading of the paper, which doesn't say what the layer is. Parameters `weight [1, width]`, `bias [1]`. */
const linear: PredictionLayer = (patches) => linearMap(patches, { out: 1 })

/**
 * LayerNorm, half the width, GELU, one number: 1 % of a T+48's multiply-adds, and it finds far more of the patches that the
 * class token will look at (docs/training.md). Parameters `norm`, `fc1 [width/2, width]`, `fc2 [1, width/2]`.
 */
const mlp: PredictionLayer = (patches, { layerNormEpsilon }) => {
  const normed = layerNorm('norm', patches, { epsilon: layerNormEpsilon })
  const hidden = Math.max(1, Math.floor(widthOf(patches) / 2))
  return namedLinear('fc2', gelu(namedLinear('fc1', normed, { out: hidden })), { out: 1 })
}

/** Every value of the `predictor` switch. Adding one is a function above and its name here. */
export const predictionLayers = { linear, mlp } satisfies Record<string, PredictionLayer>

/** What of a configuration decides its prediction layers. */
export interface Predicting extends PredictionLayerOptions {
  readonly predictor: keyof typeof predictionLayers
}

/** What the prediction layer of the scope says of each patch, before the softmax. @returns `[batch, patches, 1]` */
export function predicted(patches: Tensor, { predictor, ...options }: Predicting): Tensor {
  return predictionLayers[predictor](patches, options)
}
