import { defined } from '../base/assert.js'
import type { PictureMask } from '../image/picture-mask.js'
import { connectedRegions } from './connected.js'
import type { Polygon } from './polygon-rle.js'

interface Corner {
  readonly x: number
  readonly y: number
}

interface Ring {
  readonly corners: readonly Corner[]
  /** The region of the pixels along it. */
  readonly region: number
  readonly isHole: boolean
}

// right, down, left, up: y grows downward, so each is the one before turned right
const directions = [
  [1, 0],
  [0, 1],
  [-1, 0],
  [0, -1],
] as const

/**
 * The outlines of a mask along the sides of its pixels: one polygon for each region of pixels that share sides. A hole is joined
 * to its outline by a cut that is walked there and back, so that COCO's rule ({@link rleOfPolygons}) gives exactly the mask
 * again, and drawing by the even-odd rule too.
 */
export function polygonsOf(mask: PictureMask): Polygon[] {
  const rings = ringsOf(mask)
  return rings
    .filter(({ isHole }) => !isHole)
    .map((outline) => {
      const holes = rings.filter(({ isHole, region }) => isHole && region === outline.region)
      const corners = holes.reduce((joined, hole) => withHole(joined, hole.corners), outline.corners)
      return corners.flatMap(({ x, y }) => [x, y])
    })
}

function ringsOf(mask: PictureMask): Ring[] {
  const { height, width, values } = mask
  const { labels } = connectedRegions(mask, { connectivity: 4 })
  const isMeant = (x: number, y: number) =>
    x >= 0 && x < width && y >= 0 && y < height && values[y * width + x] !== 0
  // every ring runs to the right along the upper side of some pixel
  const seen = new Uint8Array(height * width)
  const rings: Ring[] = []
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const at = y * width + x
      if (!isMeant(x, y) || isMeant(x, y - 1) || seen[at]) continue
      const corners = followRing({ x, y }, isMeant, (corner) => {
        seen[corner.y * width + corner.x] = 1
      })
      rings.push({ corners, region: labels[at] ?? 0, isHole: signedArea(corners) < 0 })
    }
  }
  return rings
}

/** Walks along sides of pixels with what is meant on the right hand, from a corner to the right, until it is back. */
function followRing(
  start: Corner,
  isMeant: (x: number, y: number) => boolean,
  goRight: (corner: Corner) => void,
): Corner[] {
  const corners: Corner[] = []
  let { x, y } = start
  let heading = 0
  do {
    const [dx, dy] = defined(directions[heading], 'a direction')
    if (heading === 0) goRight({ x, y })
    x += dx
    y += dy
    // the pixels before this corner, to the right and to the left of the way
    const right = isMeant(x + (dx - dy - 1) / 2, y + (dy + dx - 1) / 2)
    const left = isMeant(x + (dx + dy - 1) / 2, y + (dy - dx - 1) / 2)
    const turn = !right ? 1 : left ? 3 : 0
    if (turn !== 0) corners.push({ x, y })
    heading = (heading + turn) % 4
  } while (x !== start.x || y !== start.y || heading !== 0)
  return corners
}

/** Positive where what is inside lies to the right of the way. */
function signedArea(corners: readonly Corner[]): number {
  return corners.reduce((sum, { x, y }, index) => {
    const next = corners[(index + 1) % corners.length] ?? { x, y }
    return sum + x * next.y - next.x * y
  }, 0)
}

/** A cut from the nearest corner of the outline to the hole, around it and back. */
function withHole(outline: readonly Corner[], hole: readonly Corner[]): Corner[] {
  const first = defined(hole[0], 'a corner')
  const away = ({ x, y }: Corner) => (x - first.x) ** 2 + (y - first.y) ** 2
  const nearest = outline.reduce(
    (best, corner, index) => (away(corner) < away(defined(outline[best], 'a corner')) ? index : best),
    0,
  )
  const gate = defined(outline[nearest], 'a corner')
  return [...outline.slice(0, nearest + 1), ...hole, first, gate, ...outline.slice(nearest + 1)]
}
