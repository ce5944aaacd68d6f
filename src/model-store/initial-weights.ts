import { seededRandom } from '../base/random.js'
import type { Parameter } from '../graph/graph.js'
import { storedFrom } from '../weights/stored-from.js'
import type { StoredTensor } from '../weights/stored-tensor.js'

/** Bounds of timm's `trunc_normal_`: absolute values, not deviations. */
const truncationBound = 2

/** A number for each name, so that a parameter's start depends on its name and not on the order of drawing. */
function hashOf(name: string, seed: number): number {
  let hash = 2_166_136_261 ^ seed // FNV-1a
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 16_777_619)
  return hash >>> 0
}

function drawNormal(random: () => number): number {
  // Box–Muller; 1 − u keeps the logarithm's argument above 0
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** The numbers that a parameter starts with: the same for the same name, seed and shape everywhere. */
export function initialWeights(
  { name, shape, initialiser }: Parameter,
  { seed }: { seed: number },
): StoredTensor {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1))
  if (initialiser.kind === 'constant') return storedFrom(values.fill(initialiser.value), shape)
  const random = seededRandom(hashOf(name, seed))
  for (let i = 0; i < values.length; i++) {
    let value = initialiser.deviation * drawNormal(random)
    while (Math.abs(value) > truncationBound) value = initialiser.deviation * drawNormal(random)
    values[i] = value
  }
  return storedFrom(values, shape)
}
