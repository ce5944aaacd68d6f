import { linearMap } from '../../nn/linear.js'
import type { PredictionLayer } from './prediction-layer.js'

/** x·w + b, the simplest reading of the paper, which doesn't say what the layer is. Parameters `weight [1, width]`, `bias [1]`. */
export const linear: PredictionLayer = (patches) => linearMap(patches, { out: 1 })
