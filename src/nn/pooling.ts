import { mean, reshape } from '../graph/ops/index.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import { channelsOf, placesOf } from './convolution.js'

/** The mean of all places of a map. @param map `[batch, channels, rows, columns]` @returns `[batch, channels]` */
export function spatialMean(map: Tensor): Tensor {
  const [batch, channels] = [sizeAt(map, 0), channelsOf(map)]
  const { rows, columns } = placesOf(map)
  return reshape(mean(reshape(map, [batch, channels, rows * columns]), { axes: [-1] }), [batch, channels])
}
