import { type BoxXywh, checkedRle, type Rle } from './rle.js'
import { mergeRles } from './rle-overlap.js'

/** x and y of the corners in turn, in pixels: x0, y0, x1, y1, …; the last corner is joined to the first. */
export type Polygon = readonly number[]

interface Size {
  readonly height: number
  readonly width: number
}

/** Corners are rounded to fifths of a pixel. */
const fine = 5

interface Point {
  readonly u: number
  readonly v: number
}

/** All fine points from one corner to the next, both included. */
function* edge(from: Point, to: Point): Generator<Point> {
  const [across, down] = [Math.abs(to.u - from.u), Math.abs(to.v - from.v)]
  const length = Math.max(across, down)
  const isFlat = across >= down
  // both directions of an edge go over the same points: computed from the end that comes first along the longer side
  const isBackward = isFlat ? from.u > to.u : from.v > to.v
  const [start, end] = isBackward ? [to, from] : [from, to]
  const rise = isFlat ? end.v - start.v : end.u - start.u
  const slope = length === 0 ? 0 : rise / length
  for (let step = 0; step <= length; step++) {
    const t = isBackward ? length - step : step
    yield isFlat
      ? { u: start.u + t, v: Math.trunc(start.v + slope * t + 0.5) }
      : { u: Math.trunc(start.u + slope * t + 0.5), v: start.v + t }
  }
}

/**
 * The pixels within a polygon, by COCO's rule (`rleFrPoly`): a column changes between in and out where the outline crosses its
 * middle, so what is covered twice is out.
 */
function rleOfPolygon(polygon: Polygon, { height, width }: Size): Rle {
  const corners: Point[] = []
  for (let at = 0; at + 1 < polygon.length; at += 2) {
    const onFine = (coordinate = 0) => Math.trunc(fine * coordinate + 0.5)
    corners.push({ u: onFine(polygon[at]), v: onFine(polygon[at + 1]) })
  }
  const crossings: number[] = []
  let before: Point | undefined
  corners.forEach((corner, index) => {
    for (const point of edge(corner, corners[(index + 1) % corners.length] ?? corner)) {
      if (before && before.u !== point.u) {
        const column = (Math.min(before.u, point.u) + 0.5) / fine - 0.5
        if (Number.isInteger(column) && column >= 0 && column < width) {
          const row = (Math.min(before.v, point.v) + 0.5) / fine - 0.5
          crossings.push(column * height + Math.ceil(Math.min(Math.max(row, 0), height)))
        }
      }
      before = point
    }
  })
  return { size: [height, width], counts: runsBetween(crossings, height * width) }
}

/** Places at which pixels change between out and in, as runs; two at one place change nothing. */
function runsBetween(crossings: number[], pixels: number): number[] {
  const places = [...crossings, pixels].sort((a, b) => a - b)
  const counts: number[] = []
  let last = 0
  let joins = false
  for (const place of places) {
    const length = place - last
    last = place
    if (joins) {
      counts[counts.length - 1] = (counts[counts.length - 1] ?? 0) + length
      joins = false
    } else if (length === 0 && counts.length > 0) joins = true
    else counts.push(length)
  }
  return counts
}

/** The union of several polygons of one object. */
export function rleOfPolygons(polygons: readonly Polygon[], size: Size): Rle {
  const empty = { size: [size.height, size.width] as const, counts: [size.height * size.width] }
  const masks = polygons.map((polygon) => rleOfPolygon(polygon, size))
  return checkedRle(masks.length === 0 ? empty : mergeRles(masks, 'union'))
}

/** The pixels within a box. */
export function rleOfBox([x, y, width, height]: BoxXywh, size: Size): Rle {
  const [right, bottom] = [x + width, y + height]
  return rleOfPolygon([x, y, x, bottom, right, bottom, right, y], size)
}
