import { multiply, relu, reshape, sigmoid } from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import { channelsOf, convolution } from './convolution.js'
import { spatialMean } from './pooling.js'

/**
 * Squeeze and excitation (Hu et al. 2018): each channel times a number between 0 and 1 that the means of all channels decide;
 * parameters `name.fc1` and `name.fc2`, convolutions of one pixel.
 * @param x `[batch, channels, rows, columns]`
 */
export function squeezeExcite(name: string, x: Tensor, { hidden }: { hidden: number }): Tensor {
  return scope(name, () => {
    const channels = channelsOf(x)
    const means = reshape(spatialMean(x), [sizeAt(x, 0), channels, 1, 1])
    const inner = relu(convolution('fc1', means, { out: hidden }))
    return multiply(x, sigmoid(convolution('fc2', inner, { out: channels })))
  })
}
