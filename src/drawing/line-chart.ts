import { scaleLinear } from 'd3-scale'
import { line } from 'd3-shape'
import { visible } from '../base/visible-text.js'

export interface Point {
  readonly x: number
  readonly y: number
}

export interface Curve {
  readonly name: string
  readonly points: readonly Point[]
  /** A dashed thin line without dots: what was computed, not measured. */
  readonly dashed?: boolean | undefined
  /** Curves with the same one share a colour; default: the name. */
  readonly family?: string | undefined
}

export interface LineChart {
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  readonly curves: readonly Curve[]
  /** Where the y axis begins: 0 (default), or the smallest value. */
  readonly yFrom?: 'zero' | 'smallest' | undefined
  /** Pixels. Default 720 × 420. */
  readonly width?: number
  readonly height?: number
}

const margin = { left: 64, right: 170, top: 44, bottom: 48 }
/** Okabe and Ito's colours: told apart by colour-blind readers too. */
const colours = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000']
const font = 'font-family="system-ui, sans-serif"'
/** Names at the curves' ends stand at least so far apart. */
const lineHeight = 15

function escapeText(text: string): string {
  return visible(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;')
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

/** Curves as an SVG picture, each named at its end. @returns a whole SVG document */
export function drawLineChart(chart: LineChart): string {
  const { title, xLabel, yLabel, curves, yFrom = 'zero', width = 720, height = 420 } = chart
  const points = curves.flatMap((curve) => curve.points)
  const [lowest, highest] = extentOf(points.map(({ y }) => y))
  const x = scaleLinear(extentOf(points.map((point) => point.x)), [margin.left, width - margin.right])
  const y = scaleLinear([yFrom === 'zero' ? 0 : lowest, highest], [height - margin.bottom, margin.top]).nice()
  const families = [...new Set(curves.map(({ name, family }) => family ?? name))]
  const colourOf = ({ name, family }: Curve) =>
    colours[families.indexOf(family ?? name) % colours.length] ?? 'black'
  const path = line<Point>(
    (point) => x(point.x),
    (point) => y(point.y),
  )

  const grid = y.ticks(6).map((tick) => {
    const at = y(tick).toFixed(1)
    return (
      `<line x1="${margin.left}" x2="${width - margin.right}" y1="${at}" y2="${at}" stroke="#e3e3e3"/>` +
      `<text x="${margin.left - 8}" y="${at}" text-anchor="end" dominant-baseline="middle">${y.tickFormat(6)(tick)}</text>`
    )
  })
  const below = x.ticks(7).map((tick) => {
    const at = x(tick).toFixed(1)
    const bottom = height - margin.bottom
    return (
      `<line x1="${at}" x2="${at}" y1="${bottom}" y2="${bottom + 5}" stroke="#888"/>` +
      `<text x="${at}" y="${bottom + 19}" text-anchor="middle">${x.tickFormat(7)(tick)}</text>`
    )
  })
  const ends = curves.map(({ points: own }) => own.at(-1) ?? { x: 0, y: 0 })
  const labelPlaces = spread(ends.map((end) => y(end.y)))
  const drawn = curves.map((curve, index) => {
    const colour = colourOf(curve)
    const look = curve.dashed ? 'stroke-dasharray="5 4" stroke-width="1.3"' : 'stroke-width="2.2"'
    const dots = curve.dashed
      ? ''
      : curve.points
          .map(
            (point) =>
              `<circle cx="${x(point.x).toFixed(1)}" cy="${y(point.y).toFixed(1)}" r="3" fill="${colour}"/>`,
          )
          .join('')
    const labelled =
      `<text x="${width - margin.right + 8}" y="${(labelPlaces[index] ?? 0).toFixed(1)}" fill="${colour}" ` +
      `dominant-baseline="middle">${escapeText(curve.name)}</text>`
    return `<path d="${path([...curve.points]) ?? ''}" fill="none" stroke="${colour}" ${look}/>${dots}${labelled}`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" ${font} font-size="12" fill="#333">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    `<text x="${margin.left}" y="24" font-size="15" font-weight="600">${escapeText(title)}</text>`,
    ...grid,
    ...below,
    `<text x="${(margin.left + width - margin.right) / 2}" y="${height - 8}" text-anchor="middle">${escapeText(xLabel)}</text>`,
    `<text transform="translate(16 ${height / 2}) rotate(-90)" text-anchor="middle">${escapeText(yLabel)}</text>`,
    ...drawn,
    '</svg>',
    '',
  ].join('\n')
}
