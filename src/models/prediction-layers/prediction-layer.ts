import type { Tensor } from '../../graph/tensor.js'

export interface PredictionLayerOptions {
  /** Added to the variance, where it has a norm. */
  readonly layerNormEpsilon: number
}

/**
 * What a prediction layer makes of patches, in the scope that it is called in.
 * @param patches `[batch, patches, width]` @returns a number for each, before the softmax. `[batch, patches, 1]`
 */
export type PredictionLayer = (patches: Tensor, options: PredictionLayerOptions) => Tensor
