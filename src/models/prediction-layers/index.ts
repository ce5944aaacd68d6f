import type { Tensor } from '../../graph/tensor.js'
import { linear } from './linear.js'
import { mlp } from './mlp.js'
import type { PredictionLayer, PredictionLayerOptions } from './prediction-layer.js'

/** Every value of the `predictor` switch. Adding one is its file and a line here. */
export const predictionLayers = { linear, mlp } satisfies Record<string, PredictionLayer>

/** What of a configuration decides its prediction layers. */
export interface Predicting extends PredictionLayerOptions {
  readonly predictor: keyof typeof predictionLayers
}

/** What the prediction layer of the scope says of each patch, before the softmax. @returns `[batch, patches, 1]` */
export function predicted(patches: Tensor, { predictor, ...options }: Predicting): Tensor {
  return predictionLayers[predictor](patches, options)
}
