import { glyphsOf } from './stroke-font.js'

export interface TextStyle {
  /** Letter size in pixels; capitals are 0.7 of it. */
  readonly size: number
  /** A heavier pen. Default false. */
  readonly heavy?: boolean | undefined
  /** A CSS colour. */
  readonly colour: string
}

/** Font units in one `size`: capitals of 14 units are 0.7 of it. */
const unitsPerSize = 20
/** Between the edges of two letters, in font units. */
const gap = 3
/** Where the baseline lies below the top of capitals, in font units. */
const baseline = 14
const penWidth = { normal: 1.6, heavy: 2.4 } as const

/** The width of a line of text in pixels. */
export function textWidth(text: string, { size }: { size: number }): number {
  const glyphs = glyphsOf(text)
  const units = glyphs.reduce((sum, { width }) => sum + width, 0) + gap * Math.max(0, glyphs.length - 1)
  return (units * size) / unitsPerSize
}

/** The text, or as much of its beginning as fits with `…` behind it. */
export function fitText(text: string, { size, width }: { size: number; width: number }): string {
  if (textWidth(text, { size }) <= width) return text
  const characters = Array.from(text)
  while (characters.length > 0 && textWidth(`${characters.join('')}…`, { size }) > width) characters.pop()
  return `${characters.join('').trimEnd()}…`
}

/**
 * A line of text as SVG paths: no font of the machine is asked.
 * @param at left end of the baseline, in pixels
 */
export function drawText(
  text: string,
  at: { x: number; y: number },
  { size, heavy = false, colour }: TextStyle,
): string {
  const unit = size / unitsPerSize
  let x = 0
  const letters = glyphsOf(text).map(({ width, strokes }) => {
    const letter = strokes === '' ? '' : `<path transform="translate(${x.toFixed(2)})" d="${strokes}"/>`
    x += width + gap
    return letter
  })
  const pen = heavy ? penWidth.heavy : penWidth.normal
  return (
    `<g transform="translate(${at.x} ${at.y - baseline * unit}) scale(${unit})" fill="none" stroke="${colour}" ` +
    `stroke-width="${pen}" stroke-linecap="round" stroke-linejoin="round">${letters.join('')}</g>`
  )
}
