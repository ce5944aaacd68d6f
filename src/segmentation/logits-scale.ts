import type { Size } from '../image/crop-window.js'

/** Which entries of an axis make each entry of another, and with what weights. */
export interface AxisTaps {
  readonly length: number
  /** entries that each is made of */
  readonly count: number
  /** `[length, count]` */
  readonly places: Int32Array
  /** `[length, count]` */
  readonly weights: Float64Array
}

/** How numbers between pixels are found, without antialias, as torch's interpolate does with align_corners off. */
export type Interpolation = 'bilinear' | 'bicubic'

/** Keys' cubic convolution with a = −0.75. */
function cubic(distance: number): number {
  const a = -0.75
  const x = Math.abs(distance)
  if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0
}

/** Taps of an axis of `from` entries that is to have `to`, of which the first `length` are wanted. */
export function axisTaps(
  interpolation: Interpolation,
  { from, to, length = to }: { readonly from: number; readonly to: number; readonly length?: number },
): AxisTaps {
  const count = interpolation === 'bilinear' ? 2 : 4
  const places = new Int32Array(length * count)
  const weights = new Float64Array(length * count)
  for (let i = 0; i < length; i++) {
    const centre = ((i + 0.5) * from) / to - 0.5
    // a line goes on level beyond the first entry, a cubic reads the border's entry instead of missing ones
    const source = interpolation === 'bilinear' ? Math.max(centre, 0) : centre
    const first = Math.floor(source) - (count / 2 - 1)
    for (let tap = 0; tap < count; tap++) {
      const place = first + tap
      places[i * count + tap] = Math.min(Math.max(place, 0), from - 1)
      weights[i * count + tap] =
        interpolation === 'bilinear' ? 1 - Math.abs(source - place) : cubic(source - place)
    }
  }
  return { length, count, places, weights }
}

/**
 * One axis after another, as one: what two maps in a row do, without the numbers between them. Entries that are reached by
 * several ways are read once.
 */
export function composeTaps(first: AxisTaps, second: AxisTaps): AxisTaps {
  const entries = Array.from({ length: second.length }, (_, i) => {
    const weightOf = new Map<number, number>()
    for (let tap = i * second.count; tap < (i + 1) * second.count; tap++) {
      const [between, weight] = [second.places[tap] ?? 0, second.weights[tap] ?? 0]
      for (let before = between * first.count; before < (between + 1) * first.count; before++) {
        const share = weight * (first.weights[before] ?? 0)
        const place = first.places[before] ?? 0
        if (share !== 0) weightOf.set(place, (weightOf.get(place) ?? 0) + share)
      }
    }
    return weightOf
  })
  const count = Math.max(1, ...new Set(entries.map(({ size }) => size)))
  const places = new Int32Array(second.length * count)
  const weights = new Float64Array(second.length * count)
  for (const [i, weightOf] of entries.entries()) {
    // what is left over reads an entry that is read anyway, with weight 0
    places.fill(weightOf.keys().next().value ?? 0, i * count, (i + 1) * count)
    places.set([...weightOf.keys()], i * count)
    weights.set([...weightOf.values()], i * count)
  }
  return { length: second.length, count, places, weights }
}

/** How a map of numbers gets another size. */
export interface LogitsScale {
  readonly rows: AxisTaps
  readonly columns: AxisTaps
}

/**
 * Some entries of one row of a map that has other rows, with the columns as they were.
 * @param logits `[rows, columns]`, of `width` columns @param row gets columns `from` up to `to` of row `y`
 */
export function mixRows(
  logits: Float32Array,
  width: number,
  { count, places, weights }: AxisTaps,
  { y, from = 0, to = width, row }: { y: number; from?: number; to?: number; row: Float32Array },
): void {
  row.fill(0, from, to)
  for (let tap = y * count; tap < (y + 1) * count; tap++) {
    const weight = weights[tap] as number
    const source = (places[tap] as number) * width
    if (weight === 0) continue
    for (let x = from; x < to; x++) row[x] = (row[x] as number) + weight * (logits[source + x] as number)
  }
}

/** Columns `from` up to `to` of a row that has other columns. @param line gets them, each at its place */
export function mixColumns(
  row: Float32Array,
  { count, places, weights }: AxisTaps,
  { from, to, line }: { from: number; to: number; line: Float32Array },
): void {
  for (let x = from, tap = from * count; x < to; x++) {
    let sum = 0
    for (const end = tap + count; tap < end; tap++) {
      sum += (weights[tap] as number) * (row[places[tap] as number] as number)
    }
    line[x] = sum
  }
}

/** A whole map of another size. @returns `[rows, columns]` */
export function scaled(logits: Float32Array, { width }: Size, { rows, columns }: LogitsScale): Float32Array {
  const all = new Float32Array(rows.length * columns.length)
  const row = new Float32Array(width)
  for (let y = 0; y < rows.length; y++) {
    mixRows(logits, width, rows, { y, row })
    const line = all.subarray(y * columns.length, (y + 1) * columns.length)
    mixColumns(row, columns, { from: 0, to: columns.length, line })
  }
  return all
}
