import type { Pixels } from '../../image/pixels.js'
import { resize } from '../../image/resize.js'
import type { Trace } from './trace.js'

export interface RoutePanelOptions {
  /** Indices of the patches that stay bright. */
  readonly primary: readonly number[]
  /** Drawn pixels per pixel of the picture, a whole number. */
  readonly scale: number
}

/** Share of its brightness that a secondary patch keeps. */
const dimmed = 0.3
/** Share of grey in the colour of a secondary patch, so that a dark bright patch still differs from it. */
const greyed = 0.75
/** How much of the grid's grey shows at a patch's edge. */
const gridOpacity = 0.22
const gridGrey = 128
/** Around the bright patches: dark photographs have no other visible difference. */
const outlineColour = [255, 176, 0] as const
/** Thin enough to leave most of a small patch to see. */
const thickestOutline = 3
const outlineShare = 0.1

/** Scales a picture up by a whole number, smoothly. */
export function enlarge(picture: Pixels, scale: number): Pixels {
  if (scale === 1) return picture
  return resize(picture, { width: picture.width * scale, height: picture.height * scale, filter: 'bicubic' })
}

/**
 * The picture with primary patches as they are, secondary ones dimmed, an outline between the two and thin
 * grid lines.
 */
export function drawRoutePanel(
  { picture, grid, patchSize }: Pick<Trace, 'picture' | 'grid' | 'patchSize'>,
  { primary, scale }: RoutePanelOptions,
): Pixels {
  const { width, height, values } = enlarge(picture, scale)
  const side = patchSize * scale
  const bright = new Set(primary)
  const isBright = (row: number, column: number) =>
    row >= 0 && column >= 0 && column < grid.columns && bright.has(row * grid.columns + column)

  const drawn = new Uint8Array(values.length)
  for (let y = 0; y < height; y++) {
    const row = Math.floor(y / side)
    for (let x = 0; x < width; x++) {
      const column = Math.floor(x / side)
      const at = 3 * (y * width + x)
      const [red, green, blue] = [values[at], values[at + 1], values[at + 2]] as [number, number, number]
      const colour = isBright(row, column)
        ? onOutline(x % side, y % side, { row, column, side, isBright })
          ? outlineColour
          : ([red, green, blue] as const)
        : dim(red, green, blue)
      const onGrid = colour !== outlineColour && (x % side === 0 || y % side === 0)
      drawn.set(onGrid ? colour.map((value) => mix(value, gridGrey, gridOpacity)) : colour, at)
    }
  }
  return { width, height, values: drawn }
}

/** Where in the grid a pixel lies. */
interface Neighbourhood {
  readonly row: number
  readonly column: number
  readonly side: number
  readonly isBright: (row: number, column: number) => boolean
}

/** True near an edge of a bright patch whose neighbour there is not bright. @param x, y inside the patch */
function onOutline(x: number, y: number, { row, column, side, isBright }: Neighbourhood): boolean {
  const thickness = Math.min(thickestOutline, Math.ceil(outlineShare * side))
  const left = x < thickness ? -1 : 0
  const right = x >= side - thickness ? 1 : 0
  const above = y < thickness ? -1 : 0
  const below = y >= side - thickness ? 1 : 0
  const dx = left + right
  const dy = above + below
  // the diagonal neighbour closes the outline at inner corners
  return (
    (dx !== 0 && !isBright(row, column + dx)) ||
    (dy !== 0 && !isBright(row + dy, column)) ||
    (dx !== 0 && dy !== 0 && !isBright(row + dy, column + dx))
  )
}

function mix(from: number, to: number, share: number): number {
  return Math.round(from + (to - from) * share)
}

function dim(red: number, green: number, blue: number): readonly [number, number, number] {
  const luma = 0.299 * red + 0.587 * green + 0.114 * blue // Rec. 601, as JPEG's Y
  const one = (value: number) => Math.round(dimmed * (value + (luma - value) * greyed))
  return [one(red), one(green), one(blue)]
}
