import { defined } from '../../base/assert.js'
import { assemble, inGrid, inRows, type Piece } from '../../drawing/draw-piece.js'
import type { Lettering, TextStyle } from '../../drawing/lettering.js'
import type { Drawing, Pixels } from '../../image/pixels.js'
import { resize } from '../../image/resize.js'
import { drawPanel, enlarge, type Fate } from './draw-panel.js'
import { middles, type TokenGroup, tokenGroups } from './token-groups.js'
import {
  explanation,
  fullLayersLine,
  legend,
  percent,
  stepCount,
  stepTitle,
  wholeChange,
} from './trace-words.js'
import { patchesOf, type Trace, type TracedStep } from './traced-steps.js'

export interface TraceDrawingOptions {
  /** What the model is called. */
  readonly model: string
  /** What the photo is called. */
  readonly picture: string
  readonly lettering: Lettering
}

/** The least length in pixels of a panel's longer side: patches of 32 pixels in the usual model of 224. */
const panelSide = 448
/** Of a longer history every second, third, … step is drawn: with the photo they fill a grid of 4 × 3. */
const mostSteps = 11
const margin = 36
const gap = 28
const swatchSide = 56
/** The size of a group's number: a share of a patch's side, and at most so many pixels. */
const numberShare = 0.45
const mostNumberSize = 16
/** Height of a font's capitals and digits as a share of its size. */
const capitalShare = 0.73

const ink = '#1a1a1a'
const grey = '#5a5a5a'
const titleStyle: TextStyle = { size: 36, heavy: true, colour: ink }
const lineStyle: TextStyle = { size: 21, colour: grey }
const panelTitleStyle: TextStyle = { size: 22, heavy: true, colour: ink }
const panelLineStyle: TextStyle = { size: 18, colour: grey }
const legendStyle: TextStyle = { size: 21, colour: ink }

/** A text as a piece; `height` is where the next thing may begin. */
function line(lettering: Lettering, text: string, style: TextStyle, height: number): Piece {
  const marks = lettering.draw(text, { x: 0, y: Math.round(capitalShare * style.size) }, style)
  return { width: Math.ceil(lettering.width(text, style)), height, marks, pictures: [] }
}

function photo(pixels: Pixels, marks = ''): Piece {
  return { width: pixels.width, height: pixels.height, marks, pictures: [{ pixels, left: 0, top: 0 }] }
}

/** The number of each group on each of its connected parts, on a plate of its colour. @param side of a drawn patch */
function groupNumbers(
  groups: readonly TokenGroup[],
  { grid, side, lettering }: { grid: Trace['grid']; side: number; lettering: Lettering },
): string {
  const size = Math.min(mostNumberSize, Math.round(side * numberShare))
  return groups
    .flatMap((group) => {
      const [red, green, blue] = group.colour
      const text = String(group.number)
      const colour = 0.299 * red + 0.587 * green + 0.114 * blue > 128 ? ink : '#ffffff'
      const [textWidth, textHeight] = [lettering.width(text, { size }), capitalShare * size]
      const [width, height] = [textWidth + size / 2, textHeight + size / 2]
      return middles(group, grid).map((patch) => {
        const x = ((patch % grid.columns) + 0.5) * side
        const y = (Math.floor(patch / grid.columns) + 0.5) * side
        const plate =
          `<rect x="${x - width / 2}" y="${y - height / 2}" width="${width}" height="${height}" ` +
          `rx="${size / 4}" fill="rgb(${red},${green},${blue})"/>`
        const at = { x: x - textWidth / 2, y: y + textHeight / 2 }
        return plate + lettering.draw(text, at, { size, heavy: true, colour })
      })
    })
    .join('')
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

/** One picture under its two lines of text, which are cut to its width. */
function panel(lettering: Lettering, [title, subtitle]: readonly [string, string], drawn: Piece): Piece {
  const fitted = (text: string, style: TextStyle) =>
    lettering.fit(text, { ...style, width: Math.max(drawn.width, panelSide) })
  return below([
    line(lettering, fitted(title, panelTitleStyle), panelTitleStyle, 29),
    line(lettering, fitted(subtitle, panelLineStyle), panelLineStyle, 28),
    drawn,
  ])
}

/** Which steps are drawn: all, or every second, third, … of them, the last among them. */
export function drawnSteps(count: number): number[] {
  const stride = Math.ceil(count / mostSteps)
  return Array.from({ length: count }, (_, i) => i).filter((i) => (count - 1 - i) % stride === 0)
}

/** The photo, then one panel for each step: as square as possible, up to three in one row. */
function panels(trace: Trace, lettering: Lettering): Piece {
  const { picture, steps, grid, patchSize } = trace
  const scale = Math.ceil(panelSide / Math.max(picture.width, picture.height))
  const groupsOfSteps = tokenGroups(trace)
  const drawn = drawnSteps(steps.length)
  const pieces = [
    panel(
      lettering,
      ['the photo as the model sees it', fullLayersLine(trace)],
      photo(enlarge(picture, scale)),
    ),
    ...drawn.map((index, place) => {
      const step = defined(steps[index], 'a step')
      const groups = groupsOfSteps[index] ?? []
      const marks = groupNumbers(groups, { grid, side: patchSize * scale, lettering })
      const words = [stepTitle(trace, index, { before: drawn[place - 1] }), stepCount(trace, step)] as const
      return panel(lettering, words, photo(drawPanel(trace, step, { scale, groups }), marks))
    }),
  ]
  const columns = pieces.length <= 3 ? pieces.length : Math.ceil(Math.sqrt(pieces.length))
  return inGrid(pieces, { columns, gap })
}

/** Four patches of one fate. */
const swatchSteps: Readonly<Record<Fate, Partial<TracedStep>>> = {
  bright: { patchToken: [0, 1, 2, 3], big: [0, 1, 2, 3] },
  merged: { patchToken: [0, 0, 0, 0] },
  dim: { patchToken: [0, 1, 2, 3], big: [] },
  fused: { patchToken: [0, 0, 0, 0], fused: [0] },
  dropped: { patchToken: [-1, -1, -1, -1] },
}

/** The photo as small as four patches of the legend, all of one fate. */
function swatch({ picture }: Trace, fate: Fate, { outlined }: { outlined: boolean }): Pixels {
  const small = resize(picture, { width: swatchSide, height: swatchSide, filter: 'bicubic' })
  const patches = { picture: small, grid: { rows: 2, columns: 2 }, patchSize: swatchSide / 2 }
  const step = { afterLayer: 1, tokens: 4, patchToken: [], ...swatchSteps[fate] }
  return drawPanel(patches, step, { scale: 1, outlined })
}

/** What the looks mean, beside each other where there is room. */
function legendPiece(trace: Trace, lettering: Lettering, width: number): Piece {
  const words = legend(trace)
  const outlined = words.some(({ fate }) => fate !== 'bright' && fate !== 'merged')
  const entries = words.map(({ fate, text }) => {
    const pixels = swatch(trace, fate, { outlined })
    const beside = line(lettering, text, legendStyle, 16)
    const left = pixels.width + 16
    return assemble([
      { piece: photo(pixels), left: 0, top: 0 },
      { piece: beside, left, top: Math.max(0, Math.floor((pixels.height - beside.height) / 2)) },
    ])
  })
  return inRows(entries, { width, gap })
}

/** How to read the picture, and how much of the history it shows. */
function explanationLine(trace: Trace): string {
  const drawn = drawnSteps(trace.steps.length).length
  const all = trace.steps.length
  return `${explanation(trace)}${drawn < all ? ` Drawn: ${drawn} of ${all} steps.` : ''}`
}

/** The answer, the model, how to read the picture; names are cut to the width, the answer only at last. */
function header(trace: Trace, { model, picture, lettering }: TraceDrawingOptions, width: number): Piece {
  const [best] = trace.top
  const answer = best ? ` → ${best.label} (${percent(best.probability)})` : ''
  const room = Math.max(width / 3, width - lettering.width(answer, titleStyle))
  const title = `${lettering.fit(picture, { ...titleStyle, width: room })}${answer}`
  const change = wholeChange(trace)
  const facts = [trace.setting, change ?? `${patchesOf(trace)} tokens`]
    .filter((fact) => fact !== '')
    .join(' · ')
  const name = lettering.fit(`model ${model}`, {
    ...lineStyle,
    width: Math.max(width / 3, width - lettering.width(` · ${facts}`, lineStyle)),
  })
  const fitted = (text: string, style: TextStyle) => lettering.fit(text, { ...style, width })
  return below([
    line(lettering, fitted(title, titleStyle), titleStyle, 49),
    line(lettering, fitted(`${name} · ${facts}`, lineStyle), lineStyle, 31),
    line(lettering, explanationLine(trace), lineStyle, 56),
  ])
}

/**
 * Lays out the way of a picture's tokens: the photo, then a panel for each step, titles, legend.
 * Nothing in it knows which model or method it was: steps are all it needs.
 */
export function drawTrace(trace: Trace, options: TraceDrawingOptions): Drawing {
  const { lettering } = options
  const middle = panels(trace, lettering)
  const width = Math.max(middle.width, Math.ceil(lettering.width(explanationLine(trace), lineStyle)))
  const bottom = legendPiece(trace, lettering, width)
  const spacer = { width: 0, height: gap, marks: '', pictures: [] }
  const content = below([header(trace, options, width), middle, spacer, bottom])
  const page = assemble([{ piece: content, left: margin, top: margin }])
  const size = { width: page.width + margin, height: page.height + margin }
  const open = `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}">`
  return { ...size, svg: `${open}${page.marks}</svg>`, pictures: page.pictures }
}
