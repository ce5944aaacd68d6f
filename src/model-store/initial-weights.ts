import { drawNormal } from '../base/distributions.js'
import { seededRandom } from '../base/random.js'
import type { Parameter } from '../graph/graph.js'
import { storedFrom } from '../weights/stored-from.js'
import type { StoredTensor } from '../weights/stored-tensor.js'

/** Bounds of timm's `trunc_normal_`: absolute values, not deviations. */
const truncationBound = 2

/** The numbers that a parameter starts with: the same for the same name, seed and shape everywhere. */
export function initialWeights(
  { name, shape, initialiser }: Parameter,
  { seed }: { seed: number },
): StoredTensor {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1))
  if (initialiser.kind === 'constant') return storedFrom(values.fill(initialiser.value), shape)
  const random = seededRandom(seed, 'weights', name)
  for (let i = 0; i < values.length; i++) {
    let value = initialiser.deviation * drawNormal(random)
    while (Math.abs(value) > truncationBound) value = initialiser.deviation * drawNormal(random)
    values[i] = value
  }
  return storedFrom(values, shape)
}
