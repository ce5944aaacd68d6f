import { resolve as absolute, basename } from 'node:path'
import { assemble, inGrid, type Piece } from '../../drawing/draw-piece.js'
import { drawText, fitText, type TextStyle, textWidth } from '../../drawing/draw-text.js'
import { type Drawing, encodePng } from '../../image/node/encode.js'
import type { Pixels } from '../../image/pixels.js'
import { resize } from '../../image/resize.js'
import type { Architecture } from '../../models/architecture.js'
import { drawRoutePanel, enlarge } from './draw-route-panel.js'
import {
  fullLayersLine,
  percent,
  type RouteLegend,
  routeLegend,
  selectionCount,
  selectionTitle,
} from './route-words.js'
import type { Trace } from './trace.js'

export interface RoutePictureOptions {
  /** What the model is called. */
  readonly model: string
  /** What the photo is called. */
  readonly picture: string
  readonly legend: RouteLegend
}

/** The least length in pixels of a panel's longer side: patches of 32 pixels in the usual model of 224. */
const panelSide = 448
const margin = 36
const gap = 28
const swatchSide = 56

const ink = '#1a1a1a'
const grey = '#5a5a5a'
const titleStyle: TextStyle = { size: 38, heavy: true, colour: ink }
const lineStyle: TextStyle = { size: 23, colour: grey }
const panelTitleStyle: TextStyle = { size: 24, heavy: true, colour: ink }
const panelLineStyle: TextStyle = { size: 20, colour: grey }
const legendStyle: TextStyle = { size: 24, colour: ink }

/** A text as a piece; `height` is where the next thing may begin. */
function line(text: string, style: TextStyle, height: number): Piece {
  const marks = drawText(text, { x: 0, y: Math.round(0.7 * style.size) }, style)
  return { width: Math.ceil(textWidth(text, style)), height, marks, pictures: [] }
}

function photo(pixels: Pixels): Piece {
  return { width: pixels.width, height: pixels.height, marks: '', pictures: [{ pixels, left: 0, top: 0 }] }
}

function below(pieces: readonly Piece[]): Piece {
  let top = 0
  const placed = pieces.map((piece) => {
    const at = { piece, left: 0, top }
    top += piece.height
    return at
  })
  return assemble(placed)
}

/** One picture under its two lines of text. */
function panel(title: string, subtitle: string, pixels: Pixels): Piece {
  return below([line(title, panelTitleStyle, 31), line(subtitle, panelLineStyle, 30), photo(pixels)])
}

/** The photo, then one panel for each selection: as square as possible, up to three in one row. */
function panels(trace: Trace): Piece {
  const { picture, selections } = trace
  const scale = Math.ceil(panelSide / Math.max(picture.width, picture.height))
  const pieces = [
    panel('the photo as the model sees it', fullLayersLine(trace), enlarge(picture, scale)),
    ...selections.map((selection) =>
      panel(
        selectionTitle(selection),
        selectionCount(selection, trace),
        drawRoutePanel(trace, { primary: selection.primary, scale }),
      ),
    ),
  ]
  const columns = pieces.length <= 3 ? pieces.length : Math.ceil(Math.sqrt(pieces.length))
  return inGrid(pieces, { columns, gap })
}

/** The photo as small as a patch of the legend, bright or dim. */
function swatch({ picture }: Trace, kind: keyof RouteLegend): Pixels {
  const small = resize(picture, { width: swatchSide, height: swatchSide, filter: 'bicubic' })
  const patch = { picture: small, grid: { rows: 1, columns: 1 }, patchSize: swatchSide }
  return drawRoutePanel(patch, { primary: kind === 'bright' ? [0] : [], scale: 1 })
}

/** What bright and dim mean, beside each other where there is room. */
function legend(trace: Trace, words: RouteLegend, width: number): Piece {
  const entries = (['bright', 'dim'] as const).map((kind) => {
    const pixels = swatch(trace, kind)
    const text = line(`${kind}: ${words[kind]}`, legendStyle, 17)
    return assemble([
      { piece: photo(pixels), left: 0, top: 0 },
      {
        piece: text,
        left: pixels.width + 16,
        top: Math.max(0, Math.floor((pixels.height - text.height) / 2)),
      },
    ])
  })
  const widest = Math.max(...entries.map((entry) => entry.width))
  return inGrid(entries, { columns: 2 * widest + gap <= width ? 2 : 1, gap })
}

/** The answer, the model, how to read the picture; names are cut to the width, the answer only at last. */
function header(trace: Trace, { model, picture }: RoutePictureOptions, width: number): Piece {
  const [best] = trace.top
  const answer = best ? ` → ${best.label} (${percent(best.probability)})` : ''
  const room = Math.max(width / 3, width - textWidth(answer, titleStyle))
  const title = `${fitText(picture, { ...titleStyle, width: room })}${answer}`
  const origin = `model ${model} · keep ratio ${trace.keepRatio}`
  return below([
    line(fitText(title, { ...titleStyle, width }), titleStyle, 49),
    line(fitText(origin, { ...lineStyle, width }), lineStyle, 32),
    line(explanation, lineStyle, 58),
  ])
}

const explanation = 'The model chooses patches; only the bright ones take the big path.'

/**
 * Lays out the route of a picture: the photo, then a panel for each selection, titles, legend.
 * Nothing in it knows which model it was: selections are all it needs.
 */
export function drawRoute(trace: Trace, options: RoutePictureOptions): Drawing {
  const middle = panels(trace)
  const width = Math.max(middle.width, Math.ceil(textWidth(explanation, lineStyle)))
  const bottom = legend(trace, options.legend, width)
  const spacer = { width: 0, height: gap, marks: '', pictures: [] }
  const content = below([header(trace, options, width), middle, spacer, bottom])
  const page = assemble([{ piece: content, left: margin, top: margin }])
  const size = { width: page.width + margin, height: page.height + margin }
  const open = `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}">`
  return { ...size, svg: `${open}${page.marks}</svg>`, pictures: page.pictures }
}

/** A folder's path is cut to its name; `owner/name` and shipped names stay. */
function shortName(model: string): string {
  return /^[\w-][^/\\]*(\/[^/\\]+)?$/.test(model) ? model : basename(absolute(model))
}

/** The route of a picture as a PNG for people. */
export function routePng(
  trace: Trace,
  { model, picture }: { model: { name: string; architecture: Architecture }; picture: string },
): Promise<Uint8Array> {
  const words = routeLegend(model.architecture, trace)
  const names = { model: shortName(model.name), picture: basename(picture) }
  return encodePng(drawRoute(trace, { ...names, legend: words }))
}
