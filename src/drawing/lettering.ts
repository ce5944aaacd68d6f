import * as opentype from 'opentype.js'
import { visible } from '../base/visible-text.js'

export interface TextStyle {
  /** Letter size in pixels; capitals are about 0.7 of it. */
  readonly size: number
  /** Bold. Default false. */
  readonly heavy?: boolean | undefined
  /** A CSS colour. */
  readonly colour: string
}

// Node sees a CommonJS module with everything under `default`, bundlers an ES module without one.
const { parse } =
  'default' in opentype ? (opentype.default as Pick<typeof opentype, 'parse'>) : (opentype as never)

/** Letters and their accents as one character, which is what a font has an outline for. */
function charactersOf(text: string): string[] {
  return Array.from(visible(text).normalize('NFC'))
}

/** The pen that makes a regular outline bold, as a share of the letter size: no second font file is read for it. */
const heavyPen = 0.035

/**
 * Lines of text as SVG paths. librsvg draws `<text>` with the fonts of the machine, and a fresh one (node's Docker
 * images) has none: all text would vanish. Outlines of one font are there everywhere and look the same everywhere.
 * Letters stand one after the other as the font spaces them; scripts that join or reorder letters are not shaped.
 */
export class Lettering {
  private constructor(private readonly font: opentype.Font) {}

  /** @param file the bytes of a TrueType, OpenType or WOFF font */
  static read(file: ArrayBuffer): Lettering {
    return new Lettering(parse(file))
  }

  /** False for a character that becomes the font's box. */
  has(character: string): boolean {
    return this.font.charToGlyphIndex(character) !== 0
  }

  /** The width of a line of text in pixels. */
  width(text: string, { size }: { size: number }): number {
    const units = charactersOf(text).reduce((sum, character) => sum + this.advance(character), 0)
    return (units * size) / this.font.unitsPerEm
  }

  /** The text, or as much of its beginning as fits with `…` behind it. */
  fit(text: string, { size, width }: { size: number; width: number }): string {
    if (this.width(text, { size }) <= width) return text
    const characters = charactersOf(text)
    while (characters.length > 0 && this.width(`${characters.join('')}…`, { size }) > width) characters.pop()
    return `${characters.join('').trimEnd()}…`
  }

  /** A line of text as SVG paths. @param at left end of the baseline, in pixels */
  draw(text: string, at: { x: number; y: number }, { size, heavy = false, colour }: TextStyle): string {
    const { unitsPerEm } = this.font
    let advanced = 0
    const letters = charactersOf(text).map((character) => {
      const left = advanced
      advanced += this.advance(character)
      // In the font's whole units: toPathData runs numbers together that it rounds from below zero to -0.
      const outline = this.font.charToGlyph(character).getPath(0, 0, unitsPerEm).toPathData(0)
      return outline === '' ? '' : `<path transform="translate(${left})" d="${outline}"/>`
    })
    const pen = heavy ? ` stroke="${colour}" stroke-width="${heavyPen * unitsPerEm}"` : ''
    const place = `translate(${at.x} ${at.y}) scale(${size / unitsPerEm})`
    return `<g transform="${place}" fill="${colour}"${pen}>${letters.join('')}</g>`
  }

  /** How far the next letter stands, in the font's units. */
  private advance(character: string): number {
    return this.font.charToGlyph(character).advanceWidth ?? 0
  }
}
