import type { Size } from '../image/crop-window.js'
import type { AxisTaps, LogitsScale } from './logits-scale.js'

/** Columns next to each other: all of them surely meant, or to be computed. */
export interface Span {
  readonly from: number
  readonly to: number
  readonly isMeant: boolean
  /** The columns that they are made of. */
  readonly source: { readonly from: number; readonly to: number }
}

/** Rows next to each other, and those of their pixels that can be meant. */
export interface Band {
  readonly from: number
  readonly to: number
  readonly spans: readonly Span[]
}

/** Where entries begin that are made of others than the entry before; the axis' length at the end. */
function runStarts({ length, count, places }: AxisTaps): Int32Array {
  const starts: number[] = []
  const isAsBefore = (entry: number) => {
    for (let at = entry * count; at < (entry + 1) * count; at++) {
      if (places[at] !== places[at - count]) return false
    }
    return true
  }
  for (let entry = 0; entry < length; entry++) if (!isAsBefore(entry)) starts.push(entry)
  return Int32Array.of(...starts, length)
}

/** How far beyond what it mixes a number can come to lie, by their distance: 0 for a line, some of it for a cubic. */
function overshoot({ weights, count }: AxisTaps): number {
  let most = 0
  for (let first = 0; first < weights.length; first += count) {
    let negative = 0
    for (let tap = first; tap < first + count; tap++) negative -= Math.min(0, weights[tap] as number)
    most = Math.max(most, negative)
  }
  return most
}

/** Between what numbers each column of some rows lies. */
interface Bounds {
  readonly least: Float32Array
  readonly most: Float32Array
}

/** Bounds of row `y`, with the columns as they were. */
function boundRow(
  logits: Float32Array,
  { count, places }: AxisTaps,
  { y, beyond, least, most }: Bounds & { readonly y: number; readonly beyond: number },
): void {
  const width = least.length
  const first = (places[y * count] as number) * width
  least.set(logits.subarray(first, first + width))
  most.set(least)
  for (let tap = y * count + 1; tap < (y + 1) * count; tap++) {
    const source = (places[tap] as number) * width
    for (let x = 0; x < width; x++) {
      const logit = logits[source + x] as number
      if (logit < (least[x] as number)) least[x] = logit
      else if (logit > (most[x] as number)) most[x] = logit
    }
  }
  if (beyond === 0) return
  for (let x = 0; x < width; x++) {
    const spread = beyond * ((most[x] as number) - (least[x] as number))
    least[x] = (least[x] as number) - spread
    most[x] = (most[x] as number) + spread
  }
}

/** A stretch without need of computing that is shorter than this isn't worth being left out. */
const shortest = 8

/** Of pixels that are made of the same entries: fewer of them are computed sooner than looked into. */
const fewAlike = 2

/**
 * Finds where a scaled map has to be computed at all. Where all entries around lie on one side of every threshold no number
 * between them can cross it, and that is nearly everywhere, so little of a large mask is left.
 * @param margin the thresholds are `−margin`, 0 and `margin`
 * @returns from the top; rows and columns of no band and span are certainly not meant
 */
export function openBands(
  logits: Float32Array,
  { width }: Size,
  { rows, columns }: LogitsScale,
  margin: number,
): readonly Band[] {
  const [rowStarts, columnStarts] = [runStarts(rows), runStarts(columns)]
  if (columns.length < fewAlike * columnStarts.length) {
    const whole = { from: 0, to: columns.length, isMeant: false, source: { from: 0, to: width } }
    return [{ from: 0, to: rows.length, spans: [whole] }]
  }
  const bounds = { least: new Float32Array(width), most: new Float32Array(width) }
  const [beyondRows, beyondColumns] = [overshoot(rows), overshoot(columns)]
  const bands: Band[] = []
  for (let run = 0; run + 1 < rowStarts.length; run++) {
    const [from, to] = [rowStarts[run] as number, rowStarts[run + 1] as number]
    boundRow(logits, rows, { y: from, beyond: beyondRows, ...bounds })
    const spans = openSpans(bounds, columns, { starts: columnStarts, beyond: beyondColumns, margin })
    if (spans.length > 0) bands.push({ from, to, spans })
  }
  return bands
}

function openSpans(
  { least, most }: Bounds,
  { count, places }: AxisTaps,
  { starts, beyond, margin }: { starts: Int32Array; beyond: number; margin: number },
): Span[] {
  const spans: { from: number; to: number; isMeant: boolean; source: { from: number; to: number } }[] = []
  for (let run = 0; run + 1 < starts.length; run++) {
    const [from, to] = [starts[run] as number, starts[run + 1] as number]
    let low = Number.POSITIVE_INFINITY
    let high = Number.NEGATIVE_INFINITY
    let [first, behind] = [least.length, 0]
    for (let at = from * count; at < (from + 1) * count; at++) {
      const place = places[at] as number
      low = Math.min(low, least[place] as number)
      high = Math.max(high, most[place] as number)
      first = Math.min(first, place)
      behind = Math.max(behind, place + 1)
    }
    const spread = beyond * (high - low)
    if (high + spread <= -margin) continue
    const isMeant = low - spread > margin
    const last = spans.at(-1)
    if (last && (last.isMeant ? isMeant && last.to === from : from - last.to < shortest && !isMeant)) {
      last.to = to
      last.source.to = behind
    } else spans.push({ from, to, isMeant, source: { from: first, to: behind } })
  }
  return spans
}
