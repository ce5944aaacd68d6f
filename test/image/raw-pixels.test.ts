import { describe, expect, test } from 'vitest'
import { decodeImage } from '../../src/image/node/decode.js'
import { type RawPixels, rgbFromRaw } from '../../src/image/raw-pixels.js'
import { runAtOnce } from '../../src/image/steps.js'

describe('raw pixels', () => {
  test('in RGB pass without a copy', () => {
    const values = new Uint8Array([1, 2, 3, 4, 5, 6])
    expect(runAtOnce(rgbFromRaw({ width: 2, height: 1, values })).values).toBe(values)
    const clamped = new Uint8ClampedArray(values.buffer)
    expect(runAtOnce(rgbFromRaw({ width: 2, height: 1, values: clamped })).values.buffer).toBe(values.buffer)
  })

  test('in grey repeat their value', () => {
    const grey: RawPixels = { width: 1, height: 2, channels: 1, values: new Uint8Array([7, 9]) }
    expect([...runAtOnce(rgbFromRaw(grey)).values]).toEqual([7, 7, 7, 9, 9, 9])
  })

  test('lose their alpha', async () => {
    const values = new Uint8ClampedArray([1, 2, 3, 0, 4, 5, 6, 255])
    const pixels = await decodeImage({ width: 2, height: 1, channels: 4, values })
    expect([...pixels.values]).toEqual([1, 2, 3, 4, 5, 6])
  })

  test.each([
    [{ width: 2, height: 2 }, /2 × 2 with 3 channels need 12 values, got 6/],
    [{ width: 0, height: 2 }, /0 × 2; width and height must be whole numbers of at least 1/],
    [{ width: 1.5, height: 2 }, /1\.5 × 2/],
    [{ width: Number.NaN, height: 2 }, /NaN × 2/],
    [{ width: 2, height: 1, channels: 2 }, /channels = 2; pass 1 \(grey\), 3 \(RGB\) or 4/],
    [{ width: 2, height: 1, values: [1, 2, 3, 4, 5, 6] }, /Uint8Array or Uint8ClampedArray/],
  ])('%j are refused', async (layout, message) => {
    const raw = { values: new Uint8Array(6), ...layout } as unknown as RawPixels
    await expect(decodeImage(raw)).rejects.toMatchObject({ code: 'BAD_IMAGE' })
    await expect(decodeImage(raw)).rejects.toThrow(message)
  })
})
