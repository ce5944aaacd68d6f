import { expect, test } from 'vitest'
import { greyed } from '../../src/image/grey.js'
import { preprocess } from '../../src/image/preprocessing.js'
import { defaultPreprocessing } from '../../src/image/preprocessing-config.js'

// Image.new('RGB', (1, 1), colour).convert('L').getpixel((0, 0)) of Pillow 12
const pillow = [
  [[255, 0, 0], 76],
  [[0, 255, 0], 150],
  [[0, 0, 255], 29],
  [[1, 2, 3], 2],
  [[200, 100, 50], 124],
  [[255, 255, 255], 255],
  [[128, 128, 128], 128],
] as const

test.each(pillow)('%j is as bright as Pillow has it', ([red, green, blue], brightness) => {
  const { values } = greyed({ width: 1, height: 1, values: Uint8Array.of(red, green, blue) })
  expect([...values]).toEqual([brightness, brightness, brightness])
})

test('a grey model gets one channel, made grey before it is resized', () => {
  const pixels = { width: 2, height: 1, values: Uint8Array.of(255, 0, 0, 0, 0, 255) }
  const grey = { ...defaultPreprocessing, cropRatio: 1, cropMode: 'squash', mean: [0], std: [1] } as const
  expect([...preprocess(pixels, { ...grey, height: 1, width: 2 })]).toEqual(
    [76, 29].map((value) => Math.fround(value / 255)),
  )
  const resized = preprocess(pixels, { ...grey, height: 1, width: 1, filter: 'bilinear' })
  // (76 + 29) / 2 = 52.5
  expect([...resized].map((value) => Math.round(255 * value))).toEqual([53])
})
