import { describe, expect, test } from 'vitest'
import { decodeImage } from '../../src/image/node/decode.js'
import { fixture, fromBase64, readJson } from './fixtures.js'

interface Bitmaps {
  readonly width: number
  readonly height: number
  readonly files: Readonly<Record<string, { readonly bmp: string; readonly rgb: string }>>
}

const { width, height, files } = readJson<Bitmaps>(fixture('../bmp/bitmaps.json'))
const bytesOf = (name: string) => Buffer.from(fromBase64(files[name]?.bmp ?? ''))

describe('bitmaps give the pixels of Pillow', () => {
  test.each(Object.entries(files))('%s', async (_, { bmp, rgb }) => {
    const pixels = await decodeImage(fromBase64(bmp))
    expect([pixels.width, pixels.height]).toEqual([width, height])
    expect(Buffer.from(pixels.values).equals(fromBase64(rgb))).toBe(true)
  })
})

test('white is white in 16 bits, whose largest value is 31 or 63', async () => {
  const bytes = bytesOf('16 bits, 565')
  bytes.fill(0xff, bytes.readUInt32LE(10))
  expect(new Set((await decodeImage(bytes)).values)).toEqual(new Set([255]))
})

test('run lengths may skip pixels, which have the first colour, and end early', async () => {
  const bytes = bytesOf('run lengths, 8 bits')
  const codes = Buffer.of(5, 7, 0, 2, 3, 2, 4, 9, 0, 0, 0, 1)
  const { values } = await decodeImage(Buffer.concat([bytes.subarray(0, bytes.readUInt32LE(10)), codes]))
  const colour = (index: number) => [...bytes.subarray(54 + 4 * index, 57 + 4 * index)].reverse()
  const at = (row: number, column: number) => [...values.subarray(3 * (row * width + column)).subarray(0, 3)]
  // bottom row first: five of 7 in the last row; three to the right and two up, four of 9
  expect([at(4, 0), at(4, 4), at(4, 5)]).toEqual([colour(7), colour(7), colour(0)])
  expect([at(2, 7), at(2, 8), at(2, 11), at(2, 12)]).toEqual([colour(0), colour(9), colour(9), colour(0)])
})

describe('bad ones are refused', () => {
  const changed = (name: string, change: (bytes: Buffer) => void) => {
    const bytes = bytesOf(name)
    change(bytes)
    return bytes
  }

  test.each(Object.keys(files))('%s, cut off anywhere', async (name) => {
    const whole = bytesOf(name)
    const pixelsAt = whole.readUInt32LE(10)
    for (const length of [2, 17, 30, pixelsAt - 1, pixelsAt, pixelsAt + 3]) {
      await expect(decodeImage(whole.subarray(0, length)), `${length}`).rejects.toMatchObject({
        code: 'BAD_IMAGE',
      })
    }
  })

  test.each([
    [
      'more pixels than there may be, before memory is taken for them',
      changed('run lengths, 8 bits', (bytes) => {
        bytes.writeInt32LE(60_000, 18)
        bytes.writeInt32LE(60_000, 22)
      }),
      /is 60000 × 60000, 3600000000 pixels; the limit is 100000000\./,
    ],
    [
      'no pixels',
      changed('24 bits', (bytes) => bytes.writeInt32LE(0, 18)),
      /is 0 × 5; a picture has at least one pixel\./,
    ],
    [
      'a negative width',
      changed('24 bits', (bytes) => bytes.writeInt32LE(-13, 18)),
      /is -13 × 5; a picture has at least one pixel\./,
    ],
    [
      'a JPEG within',
      changed('24 bits', (bytes) => bytes.writeUInt32LE(4, 30)),
      /is a BMP of 24 bits a pixel in compression 4, which isn't read; save it as PNG/,
    ],
    [
      '2 bits a pixel',
      changed('8 bits, top row first', (bytes) => bytes.writeUInt16LE(2, 28)),
      /is a BMP of 2 bits a pixel/,
    ],
    [
      'pixels that lie behind its end',
      changed('24 bits', (bytes) => bytes.writeUInt32LE(4_000_000_000, 10)),
      /is a BMP that was cut off or is damaged: it has \d+ bytes\./,
    ],
    [
      'more rows than it holds',
      changed('24 bits', (bytes) => bytes.writeInt32LE(6, 22)),
      /is a BMP that was cut off/,
    ],
  ])('%s', async (_, bytes, message) => {
    await expect(decodeImage(bytes)).rejects.toMatchObject({
      code: 'BAD_IMAGE',
      message: expect.stringMatching(message),
    })
  })

  test('a palette that is too short leaves black', async () => {
    const bytes = changed('8 bits, top row first', (whole) => {
      whole.writeUInt32LE(1, 46)
      whole[whole.readUInt32LE(10) + 1] = 0
    })
    const { values } = await decodeImage(bytes)
    expect([...values.subarray(0, 6)]).toEqual([0, 0, 0, ...bytes.subarray(54, 57).reverse()])
  })
})

test('an odd number of pixels in half a byte each', async () => {
  const bytes = bytesOf('run lengths, 4 bits')
  const codes = Buffer.of(0, 3, 0x12, 0x30, 0, 1)
  const { values } = await decodeImage(Buffer.concat([bytes.subarray(0, bytes.readUInt32LE(10)), codes]))
  const colour = (index: number) => [...bytes.subarray(54 + 4 * index, 57 + 4 * index)].reverse()
  const row = [...values.subarray(3 * 4 * width)]
  expect(row.slice(0, 12)).toEqual([colour(1), colour(2), colour(3), colour(0)].flat())
})
