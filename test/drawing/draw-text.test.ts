import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { drawText, fitText, textWidth } from '../../src/drawing/draw-text.js'
import { glyphsOf } from '../../src/drawing/stroke-font.js'

const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i))
const [box] = glyphsOf('\u4e00')

const cell = 40

/** The darkest value of each character, drawn black on white in a cell of its own. */
async function darkest(characters: readonly string[]): Promise<number[]> {
  const style = { size: 24, colour: '#000' }
  const marks = characters.map((character, i) => drawText(character, { x: 10 + i * cell, y: 30 }, style))
  const width = cell * characters.length
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="50">${marks.join('')}</svg>`
  const grey = await sharp(Buffer.from(svg)).flatten({ background: 'white' }).greyscale().raw().toBuffer()
  const values = characters.map(() => 255)
  grey.forEach((value, i) => {
    const at = Math.floor((i % width) / cell)
    values[at] = Math.min(value, values[at] ?? 0)
  })
  return values
}

describe('the stroke font', () => {
  test('has every printable ASCII character and what the drawing needs beside it', () => {
    for (const character of [...printable, ...'–→·×…γ'])
      expect(glyphsOf(character), character).not.toEqual([box])
  })

  test('every character but the space leaves ink', async () => {
    const inked = [...printable.slice(1), ...'–→·×…γ']
    const [space, ...others] = await darkest([' ', ...inked])
    expect(space).toBe(255)
    expect(inked.filter((_, i) => (others[i] ?? 255) >= 100)).toEqual([])
  })

  test('no two characters look the same', () => {
    const strokes = printable.map((character) => glyphsOf(character)[0]?.strokes)
    expect(new Set(strokes).size).toBe(printable.length)
  })

  test('accents are left out, unknown characters become boxes', () => {
    expect(glyphsOf('Zürich')).toEqual(glyphsOf('Zurich'))
    expect(glyphsOf('constructor')).toHaveLength(11)
    expect(glyphsOf('🐦')).toEqual([box])
  })
})

describe('a line of text', () => {
  test('is as wide as its letters, in proportion to its size', () => {
    expect(textWidth('', { size: 20 })).toBe(0)
    expect(textWidth('ab', { size: 40 })).toBeCloseTo(2 * textWidth('ab', { size: 20 }))
  })

  test('is cut with … where it is too long', () => {
    const width = textWidth('hummingbird', { size: 20 })
    expect(fitText('hummingbird', { size: 20, width })).toBe('hummingbird')
    const cut = fitText('hummingbirds', { size: 20, width })
    expect(cut).toMatch(/^hum.*…$/)
    expect(textWidth(cut, { size: 20 })).toBeLessThanOrEqual(width)
  })

  test('never reaches the SVG as text', () => {
    expect(drawText('<script>&"', { x: 0, y: 0 }, { size: 20, colour: '#000' })).not.toMatch(/script|&|<text/)
  })
})
