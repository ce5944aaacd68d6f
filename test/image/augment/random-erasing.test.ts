import { expect, test } from 'vitest'
import { seededRandom } from '../../../src/base/random.js'
import { type ErasingMode, eraseRegion } from '../../../src/image/augment/random-erasing.js'

const size = { height: 30, width: 40 }
const untouched = 99

function erased(
  seed: number,
  mode: ErasingMode = 'pixel',
  probability = 1,
  { height, width } = size,
): Float32Array {
  const input = new Float32Array(3 * height * width).fill(untouched)
  eraseRegion(input, { height, width, probability, mode }, seededRandom(seed))
  return input
}

/** The erased elements of each channel, as `row column`. */
function placesOf(input: Float32Array): string[][] {
  const plane = size.height * size.width
  return [0, 1, 2].map((channel) =>
    Array.from({ length: plane }, (_, i) => i)
      .filter((i) => input[channel * plane + i] !== untouched)
      .map((i) => `${Math.floor(i / size.width)} ${i % size.width}`),
  )
}

test('a region is a rectangle of 2 % to 33 % of the area, the same in each channel', () => {
  for (let seed = 0; seed < 300; seed++) {
    const [red = [], green, blue] = placesOf(erased(seed))
    expect(green).toEqual(red)
    expect(blue).toEqual(red)
    const rows = new Set(red.map((place) => place.split(' ')[0]))
    const columns = new Set(red.map((place) => place.split(' ')[1]))
    expect(red.length).toBe(rows.size * columns.size)
    // half a pixel of rounding on sides of at least 2.7
    const area = red.length / (size.height * size.width)
    expect(area).toBeGreaterThan(0.02 * 0.7)
    expect(area).toBeLessThan((1 / 3) * 1.15)
  }
})

test('so many pictures are changed as the probability says', () => {
  const changed = (probability: number) =>
    Array.from({ length: 1000 }, (_, seed) => erased(seed, 'const', probability)).filter((input) =>
      input.includes(0),
    ).length
  expect(changed(0)).toBe(0)
  expect(changed(1)).toBe(1000)
  // four standard errors of 14
  expect(Math.abs(changed(0.25) - 250)).toBeLessThan(56)
})

test('fillings: noise for each value, one drawn colour, or zeros', () => {
  const values = (mode: ErasingMode) => [...erased(3, mode)].filter((value) => value !== untouched)
  expect(new Set(values('const'))).toEqual(new Set([0]))
  expect(new Set(values('rand')).size).toBe(3)
  const noise = Array.from({ length: 30 }, (_, seed) =>
    [...erased(seed)].filter((v) => v !== untouched),
  ).flat()
  const mean = noise.reduce((a, b) => a + b, 0) / noise.length
  const variance = noise.reduce((sum, value) => sum + (value - mean) ** 2, 0) / noise.length
  expect(noise.length).toBeGreaterThan(10_000)
  expect(Math.abs(mean)).toBeLessThan(0.04)
  expect(Math.abs(variance - 1)).toBeLessThan(0.06)
})

test('a seed decides; a picture too small for any region stays whole', () => {
  expect(erased(5)).toEqual(erased(5))
  expect(erased(5)).not.toEqual(erased(6))
  expect([...erased(1, 'pixel', 1, { height: 1, width: 1 })]).toEqual([untouched, untouched, untouched])
})
