import { drawNormal } from '../../base/distributions.js'
import { seededRandom } from '../../base/random.js'
import { type LabelledFeatures, scaled, scaleOf } from '../fit/labelled-features.js'

/** Two pictures that show the same. */
export interface Pair {
  readonly first: number
  readonly second: number
  /** Of their scaled vectors; 1 for the same content. */
  readonly cosine: number
}

/**
 * From this cosine on two pictures count as doubles: the same photograph in another size, crop or compression. Pictures of
 * the same kind of thing reach 0.9; docs/finetune.md tells what was measured.
 */
const leastCosine = 0.96

/**
 * Vectors are sorted into tables by the sides of random planes on which they lie, and compared with those of the same
 * place (Charikar 2002): of pairs at the least cosine, whose planes part them with a chance of 9 % each, 99.9 % meet in a table.
 */
const tables = 24
const planesPerTable = 12
/** Comparisons of a vector in one place, so that 100,000 pictures of one scene take no day. */
const mostNeighbours = 500

/** Vectors of length 1, of components that all count alike. */
function directions(features: LabelledFeatures): Float32Array {
  const { count, inputs } = features
  const { values } = scaled(features, scaleOf(features))
  for (let row = 0; row < count; row++) {
    const own = values.subarray(row * inputs, (row + 1) * inputs)
    const length = Math.sqrt(own.reduce((sum, value) => sum + value * value, 0))
    for (let i = 0; i < inputs; i++) own[i] = length === 0 ? 0 : (own[i] as number) / length
  }
  return values
}

function cosineOf(values: Float32Array, inputs: number, a: number, b: number): number {
  let sum = 0
  for (let i = 0; i < inputs; i++)
    sum += (values[a * inputs + i] as number) * (values[b * inputs + i] as number)
  return sum
}

/** For each vector its place in a table. */
function placesIn(table: number, values: Float32Array, { count, inputs }: LabelledFeatures): Uint16Array {
  const random = seededRandom(0, 'planes', table)
  const planes = Float32Array.from({ length: planesPerTable * inputs }, () => drawNormal(random))
  const places = new Uint16Array(count)
  for (let row = 0; row < count; row++) {
    let place = 0
    for (let plane = 0; plane < planesPerTable; plane++) {
      let side = 0
      for (let i = 0; i < inputs; i++)
        side += (planes[plane * inputs + i] as number) * (values[row * inputs + i] as number)
      place = 2 * place + Number(side > 0)
    }
    places[row] = place
  }
  return places
}

/**
 * Pairs of pictures that look like one photograph.
 * @returns in the order of the first picture, then of the second
 */
export function findDoubles(features: LabelledFeatures): Pair[] {
  const { inputs } = features
  const values = directions(features)
  const found = new Map<string, Pair>()
  for (let table = 0; table < tables; table++) {
    const members = new Map<number, number[]>()
    for (const [row, place] of placesIn(table, values, features).entries()) {
      const others = members.get(place) ?? []
      for (const other of others.slice(-mostNeighbours)) {
        const cosine = cosineOf(values, inputs, other, row)
        if (cosine >= leastCosine) found.set(`${other} ${row}`, { first: other, second: row, cosine })
      }
      members.set(place, others)
      others.push(row)
    }
  }
  return [...found.values()].sort((a, b) => a.first - b.first || a.second - b.second)
}

/** A number for each picture, the same for all that pairs connect. */
export function groupsOf(pairs: readonly Pair[], count: number): Int32Array {
  const parent = Int32Array.from({ length: count }, (_, row) => row)
  const root = (row: number): number => {
    let at = row
    while (parent[at] !== at) {
      parent[at] = parent[parent[at] as number] as number
      at = parent[at] as number
    }
    return at
  }
  for (const { first, second } of pairs)
    parent[Math.max(root(first), root(second))] = Math.min(root(first), root(second))
  return parent.map((_, row) => root(row))
}
