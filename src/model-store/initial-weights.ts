import { drawNormal } from '../base/distributions.js'
import { type Random, seededRandom } from '../base/random.js'
import type { Parameter } from '../graph/graph.js'
import type { Initialiser } from '../graph/initialiser.js'
import { storedFrom } from '../weights/stored-from.js'
import type { StoredTensor } from '../weights/stored-tensor.js'

/** Bounds of timm's `trunc_normal_`: absolute values, not deviations. */
const truncationBound = 2

function drawTruncated(deviation: number, random: Random): number {
  const value = deviation * drawNormal(random)
  return Math.abs(value) > truncationBound ? drawTruncated(deviation, random) : value
}

function product(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0)
}

/** Normal rows, each without what the ones before it have of it (Gram and Schmidt). */
function orthogonalRows([rows = 1, width = 1]: readonly number[], length: number, random: Random): number[] {
  const made: number[][] = []
  while (made.length < rows) {
    let row = Array.from({ length: width }, () => drawNormal(random))
    for (const other of made) {
      const share = product(row, other)
      row = row.map((value, i) => value - share * (other[i] ?? 0))
    }
    const own = Math.sqrt(product(row, row))
    made.push(row.map((value) => value / own))
  }
  return made.flat().map((value) => value * length)
}

/** sin and cos of p/10000^(2⌊j/2⌋/width) in double precision, for position p and channel j (Vaswani et al. 2017, §3.5). */
function sinusoid(index: number, width: number): number {
  const [position, channel] = [Math.floor(index / width), index % width]
  const angle = position / 10_000 ** ((2 * Math.floor(channel / 2)) / width)
  return channel % 2 === 0 ? Math.sin(angle) : Math.cos(angle)
}

function valuesOf(shape: readonly number[], initialiser: Initialiser, random: Random): Float32Array {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1))
  if (initialiser.kind === 'constant') return values.fill(initialiser.value)
  if (initialiser.kind === 'orthogonalRows') {
    values.set(orthogonalRows(shape, initialiser.length, random))
    return values
  }
  const width = shape.at(-1) ?? 1
  return values.map((_, i) =>
    initialiser.kind === 'sinusoid' ? sinusoid(i, width) : drawTruncated(initialiser.deviation, random),
  )
}

/** The numbers that a parameter starts with: the same for the same name, seed and shape everywhere. */
export function initialWeights(
  { name, shape, initialiser }: Parameter,
  { seed }: { seed: number },
): StoredTensor {
  return storedFrom(valuesOf(shape, initialiser, seededRandom(seed, 'weights', name)), shape)
}
