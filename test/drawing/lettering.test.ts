import sharp from 'sharp'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Lettering } from '../../src/drawing/lettering.js'
import { sans } from '../../src/drawing/node/sans.js'

const printable = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i))
const cell = 40
let letters: Lettering

beforeAll(async () => {
  letters = await sans()
})

/** The ink of each character, drawn black on white in a cell of its own: grey values from 0 to 255. */
async function ink(
  characters: readonly string[],
  { heavy }: { heavy?: boolean } = {},
): Promise<Uint8Array[]> {
  const style = { size: 24, colour: '#000', heavy }
  const marks = characters.map((character, i) => letters.draw(character, { x: 10 + i * cell, y: 30 }, style))
  const width = cell * characters.length
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="50">${marks.join('')}</svg>`
  const grey = await sharp(Buffer.from(svg)).flatten({ background: 'white' }).greyscale().raw().toBuffer()
  return characters.map((_, at) => grey.filter((_, i) => Math.floor((i % width) / cell) === at))
}

describe('the font', () => {
  test('has every printable ASCII character, what the drawing needs beside it, and other alphabets', () => {
    for (const character of [...printable, ...'–→·×…γ', ...'ÄéßñŁøőΩλЖя'])
      expect(letters.has(character), character).toBe(true)
    expect(letters.has('\u4e00')).toBe(false)
  })

  test('every character but the space leaves ink, and no two the same', async () => {
    const inked = [...printable.slice(1), ...'–→·×…γéЖ']
    const [space, ...others] = await ink([' ', ...inked])
    expect(Math.min(...(space ?? []))).toBe(255)
    expect(inked.filter((_, i) => Math.min(...(others[i] ?? [])) >= 100)).toEqual([])
    expect(new Set(others.map((values) => values.join())).size).toBe(inked.length)
  })

  test('heavy letters have more ink', async () => {
    const sum = (values: Uint8Array | undefined) => Array.from(values ?? []).reduce((a, b) => a + 255 - b, 0)
    const [[normal], [heavy]] = [await ink(['n']), await ink(['n'], { heavy: true })]
    expect(sum(heavy)).toBeGreaterThan(1.15 * sum(normal))
  })

  test('a character that it lacks becomes a box of its own', async () => {
    const [box, other, bird] = await ink(['\u4e00', '\u4e01', '🐦'])
    expect(Math.min(...(box ?? []))).toBeLessThan(100)
    expect(other).toEqual(box)
    expect(bird).toEqual(box)
  })
})

describe('a line of text', () => {
  test('is as wide as its letters, in proportion to its size', () => {
    expect(letters.width('', { size: 20 })).toBe(0)
    expect(letters.width('ab', { size: 40 })).toBeCloseTo(2 * letters.width('ab', { size: 20 }))
  })

  test('numbers keep all their strokes wherever they stand', async () => {
    const text = 'after layer 4 → layers 5–10'
    const width = Math.ceil(letters.width(text, { size: 22 })) + 4
    const mark = letters.draw(text, { x: 0, y: 16 }, { size: 22, colour: '#000', heavy: true })
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="24">${mark}</svg>`
    const grey = await sharp(Buffer.from(svg)).flatten({ background: 'white' }).greyscale().raw().toBuffer()
    const right = grey.filter((value, i) => i % width > width - 14 && value < 100)
    expect(right.length).toBeGreaterThan(20) // the 0 of 10
  })

  test('letters and accents that come as two characters are one', () => {
    expect(letters.draw('Zu\u0308rich', { x: 0, y: 0 }, { size: 20, colour: '#000' })).toBe(
      letters.draw('Zürich', { x: 0, y: 0 }, { size: 20, colour: '#000' }),
    )
  })

  test('is cut with … where it is too long', () => {
    const width = letters.width('hummingbird', { size: 20 })
    expect(letters.fit('hummingbird', { size: 20, width })).toBe('hummingbird')
    const cut = letters.fit('hummingbirds', { size: 20, width })
    expect(cut).toMatch(/^hum.*…$/)
    expect(letters.width(cut, { size: 20 })).toBeLessThanOrEqual(width)
  })

  test('never reaches the SVG as text', () => {
    expect(letters.draw('<script>&"', { x: 0, y: 0 }, { size: 20, colour: '#000' })).not.toMatch(
      /script|&|<text/,
    )
  })
})
