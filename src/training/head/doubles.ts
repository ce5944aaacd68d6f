import { throwIfAborted } from '../../base/blvit-error.js'
import { drawNormal } from '../../base/distributions.js'
import { seededRandom } from '../../base/random.js'
import { laterTurn } from '../../base/turn.js'
import { type LabelledFeatures, scaled, scaleOf } from './labelled-features.js'

/** Two pictures that show the same. */
export interface Pair {
  readonly first: number
  readonly second: number
  /** Of their scaled vectors; 1 for the same content. */
  readonly cosine: number
}

/**
 * From this cosine on two pictures count as doubles: the same photograph in another compression, crop or mirror has 0.87 and
 * more, two different photographs of 60 had 0.65 at most (docs/finetune.md).
 */
const leastCosine = 0.85

/**
 * Vectors are sorted into tables by the sides of random planes on which they lie, and compared with those of the same place
 * (Charikar 2002). A plane leaves a pair at the least cosine on one side with this chance.
 */
const sameSide = 1 - Math.acos(leastCosine) / Math.PI
/** Of pairs at the least cosine so many may never meet; of those at 0.95 fewer than one in a million do. */
const mostMissed = 0.005
/** Vectors of a place, on average, so that the work grows little faster than the number of pictures. */
const placeSize = 8
/** Comparisons of a vector in one place, so that 100,000 pictures of one scene take no day. */
const mostNeighbours = 200

function tablesFor(count: number): { readonly planes: number; readonly tables: number } {
  const planes = Math.min(16, Math.max(6, Math.round(Math.log2(count / placeSize))))
  return { planes, tables: Math.ceil(Math.log(mostMissed) / Math.log(1 - sameSide ** planes)) }
}

/** The mean vector of the pictures with the same labels, for each picture's row. */
function meansOfLabels({ count, inputs, values, labels }: LabelledFeatures): readonly Float64Array[] {
  const means = new Map<string, { sum: Float64Array; count: number }>()
  const keys = labels.map((own) => own.join())
  for (let row = 0; row < count; row++) {
    const key = keys[row] ?? ''
    const mean = means.get(key) ?? { sum: new Float64Array(inputs), count: 0 }
    means.set(key, mean)
    mean.count += 1
    for (let i = 0; i < inputs; i++)
      mean.sum[i] = (mean.sum[i] as number) + (values[row * inputs + i] as number)
  }
  const done = new Map([...means].map(([key, { sum, count: of }]) => [key, sum.map((value) => value / of)]))
  return keys.map((key) => done.get(key) ?? new Float64Array(inputs))
}

/**
 * In what a picture differs from others of its class, as a vector of length 1 whose components all count alike: cats are like
 * each other as cats, and only doubles in all the rest.
 */
function directions(features: LabelledFeatures): Float32Array {
  const { count, inputs } = features
  const means = meansOfLabels(features)
  const differences = features.values.map(
    (value, at) => value - (means[Math.floor(at / inputs)]?.[at % inputs] as number),
  )
  const own = { ...features, values: differences }
  const { values } = scaled(own, scaleOf(own))
  for (let row = 0; row < count; row++) {
    const vector = values.subarray(row * inputs, (row + 1) * inputs)
    const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
    for (let i = 0; i < inputs; i++) vector[i] = length === 0 ? 0 : (vector[i] as number) / length
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
function placesIn(
  table: number,
  planesPerTable: number,
  { count, inputs, values }: Pick<LabelledFeatures, 'count' | 'inputs' | 'values'>,
): Uint16Array {
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
 * @throws BlvitError `ABORTED`
 */
export async function findDoubles(
  features: LabelledFeatures,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<Pair[]> {
  const { count, inputs } = features
  const { planes, tables } = tablesFor(count)
  const values = directions(features)
  const found = new Map<string, Pair>()
  for (let table = 0; table < tables; table++) {
    await laterTurn()
    throwIfAborted(signal)
    const members = new Map<number, number[]>()
    for (const [row, place] of placesIn(table, planes, { count, inputs, values }).entries()) {
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

/**
 * A number for each picture, the same for all that belong on one side of a split: doubles, and what they connect. Where
 * look-alikes would be half of a class or more, that is how the class looks, and only the same content counts.
 * @param hashes of the pictures' content
 */
export function groupsOf(
  pairs: readonly Pair[],
  hashes: readonly string[],
  labels: readonly (readonly number[])[],
): Int32Array {
  const firsts = new Map<string, number>()
  const same = hashes.flatMap((hash, second): Pair[] => {
    const first = firsts.get(hash)
    if (first === undefined) firsts.set(hash, second)
    return first === undefined ? [] : [{ first, second, cosine: 1 }]
  })
  const groups = connected([...same, ...pairs], hashes.length)
  const sizes = new Map<string, number>()
  const count = (key: string) => sizes.set(key, (sizes.get(key) ?? 0) + 1)
  for (const [row, own] of labels.entries())
    for (const label of own) {
      count(`${label}`)
      count(`${label} ${groups[row]}`)
    }
  const whole = (row: number) =>
    (labels[row] ?? []).some(
      (label) => 2 * (sizes.get(`${label} ${groups[row]}`) ?? 0) >= (sizes.get(`${label}`) ?? 0),
    )
  const dissolved = new Set(labels.flatMap((_, row) => (whole(row) ? [groups[row] as number] : [])))
  const kept = pairs.filter(({ first }) => !dissolved.has(groups[first] as number))
  return connected([...same, ...kept], hashes.length)
}

/** A number for each row, the same for all that pairs connect. */
function connected(pairs: readonly Pair[], count: number): Int32Array {
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
