import { scaleLinear } from 'd3-scale'
import { line, symbol, symbolsFill } from 'd3-shape'
import { visible } from '../base/visible-text.js'
import type { Drawing } from '../image/pixels.js'
import type { Lettering } from './lettering.js'

export interface Point {
  readonly x: number
  readonly y: number
  /** Stands beside the point. */
  readonly label?: string | undefined
}

export interface Curve {
  readonly name: string
  readonly points: readonly Point[]
  /** A dashed thin line: what others are held against. */
  readonly dashed?: boolean | undefined
  /** Whether its points are drawn: those of what was computed aren't. Default: unless dashed. */
  readonly dots?: boolean | undefined
  /** Curves with the same one share a colour and the shape of their points; default: the name. */
  readonly family?: string | undefined
}

export interface LineChart {
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  readonly curves: readonly Curve[]
  /** Draws letters as outlines, for a picture made where no fonts are. Default: as text. */
  readonly lettering?: Lettering | undefined
  /** Where the y axis begins: 0 (default), the smallest value, or a value; what lies below is cut off. */
  readonly yFrom?: 'zero' | 'smallest' | number | undefined
  /** Pixels of the picture for each of the drawing. Default 1. */
  readonly scale?: number
  /** Pixels. Default 720 × 420, or as large as the curves' names need. */
  readonly width?: number
  readonly height?: number
}

const margins = { left: 64, right: 170, top: 44, bottom: 48 }
/** Okabe and Ito's colours: told apart by colour-blind readers too. */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000']
const font = 'font-family="system-ui, sans-serif"'
/** Names at the curves' ends stand at least so far apart. */
const lineHeight = 15
const labelSize = 10
/** About the width of a letter of a label, and of a name. */
const letterWidth = { label: 5.6, name: 6.6 }
/** Pixels² of a point. */
const pointArea = 30

function escapeText(text: string): string {
  return visible(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}

interface Written {
  readonly x: number
  readonly y: number
  /** Which of its points `x` is. Default start. */
  readonly anchor?: 'start' | 'middle' | 'end'
  /** `y` is the middle of the letters instead of their foot. */
  readonly centred?: boolean
  readonly size?: number
  readonly colour?: string
  readonly heavy?: boolean
  /** Reads upwards. */
  readonly upright?: boolean
}

const anchorShares = { start: 0, middle: 0.5, end: 1 } as const
/** Height of a font's capitals and digits as a share of its size. */
const capitalShare = 0.73

/** Writes a line of text, as text or as the outlines of its letters. */
function writer(lettering: Lettering | undefined): (text: string, how: Written) => string {
  return (text, { x, y, anchor = 'start', centred, size = 12, colour = '#333', heavy = false, upright }) => {
    const turn = upright ? ' rotate(-90)' : ''
    if (lettering) {
      const left = -anchorShares[anchor] * lettering.width(text, { size })
      const at = { x: left, y: centred ? (capitalShare * size) / 2 : 0 }
      return `<g transform="translate(${x} ${y})${turn}">${lettering.draw(text, at, { size, heavy, colour })}</g>`
    }
    const place = upright ? `transform="translate(${x} ${y})${turn}"` : `x="${x}" y="${y}"`
    const look = [
      anchor === 'start' ? '' : ` text-anchor="${anchor}"`,
      centred ? ' dominant-baseline="middle"' : '',
      size === 12 ? '' : ` font-size="${size}"`,
      heavy ? ' font-weight="600"' : '',
      colour === '#333' ? '' : ` fill="${colour}"`,
    ]
    return `<text ${place}${look.join('')}>${escapeText(text)}</text>`
  }
}

/** Tenths of a pixel are more than anybody sees. */
function rounded(pixels: number): number {
  return Math.round(10 * pixels) / 10
}

function extentOf(values: readonly number[]): [number, number] {
  return [Math.min(...values), Math.max(...values)]
}

/** Moves overlapping labels apart, keeping their order. */
function spread(wanted: readonly number[]): number[] {
  const order = wanted.map((_, index) => index).sort((a, b) => (wanted[a] ?? 0) - (wanted[b] ?? 0))
  const placed = [...wanted]
  let last = Number.NEGATIVE_INFINITY
  for (const index of order) {
    last = Math.max(wanted[index] ?? 0, last + lineHeight)
    placed[index] = last
  }
  return placed
}

interface Box {
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
}

function overlaps(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom
}

/** Puts labels beside their points, above or below, else left or right, where nothing stands yet. */
function placeLabels(
  points: readonly (Point & { readonly colour: string })[],
  inside: Box,
): { text: string; colour: string; x: number; y: number }[] {
  const taken: Box[] = points.map(({ x, y }) => ({ left: x - 4, top: y - 4, right: x + 4, bottom: y + 4 }))
  return points.flatMap(({ x, y, label, colour }) => {
    if (label === undefined) return []
    const width = letterWidth.label * label.length
    const boxAt = (left: number, top: number): Box => ({
      left,
      top,
      right: left + width,
      bottom: top + labelSize,
    })
    const row = labelSize + 3
    const candidates = [
      ...[0, 1, 2].flatMap((rows) => [
        boxAt(x - width / 2, y - labelSize - 7 - rows * row),
        boxAt(x - width / 2, y + 7 + rows * row),
        boxAt(x - width, y - labelSize - 7 - rows * row),
        boxAt(x, y - labelSize - 7 - rows * row),
        boxAt(x - width, y + 7 + rows * row),
        boxAt(x, y + 7 + rows * row),
      ]),
      boxAt(x + 8, y - labelSize / 2),
      boxAt(x - width - 8, y - labelSize / 2),
    ]
    const fits = ({ left, right }: Box) => left >= inside.left && right <= inside.right
    const free = (box: Box) => fits(box) && !taken.some((other) => overlaps(box, other))
    const box = candidates.find(free) ?? candidates.find(fits) ?? boxAt(x - width, y - labelSize - 7)
    taken.push(box)
    return [{ text: label, colour, x: box.left, y: box.bottom - 2 }]
  })
}

/** Whether points of a curve were measured. */
function hasDots({ dashed = false, dots = !dashed }: Curve): boolean {
  return dots
}

/** Curves as an SVG picture, each named at its end. @returns a whole SVG document */
export function drawLineChart(chart: LineChart): string {
  return lineChart(chart).svg
}

/** Curves as a drawing, each named at its end. Its SVG is a whole document. */
export function lineChart(chart: LineChart): Drawing {
  const { title, xLabel, yLabel, curves, yFrom = 'zero', lettering, scale = 1 } = chart
  const write = writer(lettering)
  const longest = Math.max(0, ...curves.map(({ name }) => name.length))
  const margin = { ...margins, right: Math.max(margins.right, 16 + letterWidth.name * longest) }
  const { width = Math.ceil(720 - margins.right + margin.right) } = chart
  const { height = Math.max(420, margin.top + margin.bottom + lineHeight * curves.length) } = chart
  const points = curves.flatMap((curve) => curve.points)
  const [lowest, highest] = extentOf(points.map(({ y }) => y))
  const x = scaleLinear(extentOf(points.map((point) => point.x)), [margin.left, width - margin.right])
  const from = typeof yFrom === 'number' ? yFrom : yFrom === 'zero' ? 0 : lowest
  const y = scaleLinear([from, highest], [height - margin.bottom, margin.top]).nice()
  const isInside = (point: Point) => point.y >= (y.domain()[0] ?? from)
  const families = [...new Set(curves.map(({ name, family }) => family ?? name))]
  /** Each family its colour; when all colours are taken, they come again with points of another shape. */
  const lookOf = ({ name, family }: Curve) => {
    const place = families.indexOf(family ?? name)
    return {
      colour: colours[place % colours.length] ?? 'black',
      shape: symbolsFill[Math.floor(place / colours.length) % symbolsFill.length],
    }
  }
  const path = line<Point>(
    (point) => x(point.x),
    (point) => y(point.y),
  )

  const grid = y.ticks(6).map((tick) => {
    const at = rounded(y(tick))
    return (
      `<line x1="${margin.left}" x2="${width - margin.right}" y1="${at}" y2="${at}" stroke="#e3e3e3"/>` +
      write(y.tickFormat(6)(tick), { x: margin.left - 8, y: at, anchor: 'end', centred: true })
    )
  })
  const below = x.ticks(7).map((tick) => {
    const at = rounded(x(tick))
    const bottom = height - margin.bottom
    return (
      `<line x1="${at}" x2="${at}" y1="${bottom}" y2="${bottom + 5}" stroke="#888"/>` +
      write(x.tickFormat(7)(tick), { x: at, y: bottom + 19, anchor: 'middle' })
    )
  })
  const ends = curves.map(({ points: own }) => own.at(-1) ?? { x: 0, y: 0 })
  const labelPlaces = spread(ends.map((end) => Math.min(y(end.y), height - margin.bottom)))
  const drawn = curves.map((curve, index) => {
    const { colour, shape } = lookOf(curve)
    const look = curve.dashed ? 'stroke-dasharray="5 4" stroke-width="1.3"' : 'stroke-width="2.2"'
    const point = symbol(shape, pointArea)() ?? ''
    const dots = curve.points
      .filter(isInside)
      .map(
        (at) =>
          `<path class="point" transform="translate(${x(at.x).toFixed(1)} ${y(at.y).toFixed(1)})" d="${point}" fill="${colour}"/>`,
      )
    const place = { x: width - margin.right + 8, y: rounded(labelPlaces[index] ?? 0) }
    const named = write(curve.name, { ...place, centred: true, colour })
    const drawnLine = `<path d="${path([...curve.points]) ?? ''}" fill="none" stroke="${colour}" ${look}/>`
    const isCut = !curve.points.every(isInside)
    return [
      isCut ? `<g clip-path="url(#inside)">${drawnLine}</g>` : drawnLine,
      ...(hasDots(curve) ? dots : []),
      named,
    ].join('')
  })
  const measured = curves.flatMap((curve) =>
    hasDots(curve)
      ? curve.points.filter(isInside).map((point) => ({ ...point, colour: lookOf(curve).colour }))
      : [],
  )
  const labels = placeLabels(
    measured.map((point) => ({ ...point, x: x(point.x), y: y(point.y) })),
    { left: margin.left, top: margin.top, right: width - margin.right, bottom: height - margin.bottom },
  ).map(({ text, colour, x: left, y: bottom }) =>
    write(text, { x: rounded(left), y: rounded(bottom), size: labelSize, colour }),
  )
  const size = { width: Math.ceil(scale * width), height: Math.ceil(scale * height) }
  const svg = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${size.width}" height="${size.height}" ${font} font-size="12" fill="#333">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    `<clipPath id="inside"><rect x="${margin.left}" y="${margin.top}" width="${width - margin.left - margin.right}" height="${height - margin.top - margin.bottom}"/></clipPath>`,
    write(title, { x: margin.left, y: 24, size: 15, heavy: true }),
    ...grid,
    ...below,
    write(xLabel, { x: (margin.left + width - margin.right) / 2, y: height - 8, anchor: 'middle' }),
    write(yLabel, { x: 16, y: height / 2, anchor: 'middle', upright: true }),
    ...drawn,
    ...labels,
    '</svg>',
    '',
  ].join('\n')
  return { ...size, svg, pictures: [] }
}
