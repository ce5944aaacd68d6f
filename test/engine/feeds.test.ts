import { describe, expect, test } from 'vitest'
import { feedGraph, noiseOfPictures } from '../../src/engine/feeds.js'
import { symbol } from '../../src/graph/dim.js'
import { graphOf } from '../../src/graph/graph.js'
import { add, input, noiseInput, sizeInput } from '../../src/graph/ops/index.js'

const batch = symbol('batch')
const pixels = input('pixel_values', [batch, 3])
const first = noiseInput('selection_noise.0', [batch, 3])
const second = noiseInput('selection_noise.1', [batch, 3])
const kept = sizeInput('kept')
const graph = graphOf('noisy', { sum: add(add(pixels, first), second) }, { sizes: [kept.tensor] })

/** The rows of noise for pictures of one colour each. */
function rows(colours: readonly number[], { seed = 0, name = 'selection_noise.0' } = {}): number[][] {
  const feeds = {
    batch: colours.length,
    inputs: { pixel_values: Float32Array.from(colours.flatMap((colour) => [colour, 0, -colour])) },
  }
  const values = [
    ...(feedGraph(graph, feeds, { sizes: { kept: 2 }, noise: noiseOfPictures(feeds, seed) })[name]?.values ??
      []),
  ].map(Number)
  return colours.map((_, row) => values.slice(3 * row, 3 * row + 3))
}

describe('noise', () => {
  test('belongs to the picture, whatever stands beside and before it', () => {
    const [red, green, blue] = rows([1, 2, 3])
    expect(rows([3, 1, 2])).toEqual([blue, red, green])
    expect(rows([2])).toEqual([green])
    expect(rows([2, 2])).toEqual([green, green])
  })

  test('another picture, another seed and another input of the model have another', () => {
    const all = [...rows([1, 2, 3]), ...rows([1], { seed: 1 }), ...rows([1], { name: 'selection_noise.1' })]
    expect(new Set(all.map(String)).size).toBe(5)
    expect(all.flat().every((x) => x >= 0 && x < 1)).toBe(true)
  })

  test('follows the pictures, whatever else is fed and in whatever order', () => {
    const pictures = { pixel_values: Float32Array.of(1, 2, 3, 4) }
    const noiseOf = (inputs: Readonly<Record<string, Float32Array>>) =>
      noiseOfPictures({ batch: 2, inputs }, 0)('selection_noise.0', 3)
    const mask = Float32Array.of(5, 6)
    expect(noiseOf({ mask, ...pictures })).toEqual(noiseOf(pictures))
    expect(noiseOf({ mask: Float32Array.of(6, 5), ...pictures })).toEqual(noiseOf(pictures))
    expect(noiseOf({ mask, pixel_values: Float32Array.of(4, 3, 2, 1) })).not.toEqual(noiseOf(pictures))
  })
})

test('an input that nobody gave, and a gift that no input takes, are refused', () => {
  const sources = { sizes: { kept: 2 }, noise: (_: string, row: number) => new Float32Array(2 * row) }
  expect(() => feedGraph(graph, { batch: 1, inputs: {} }, sources)).toThrow(
    /asks for the input "pixel_values", which it wasn't given/,
  )
  const given = { pixel_values: new Float32Array(3), mask: new Float32Array(3) }
  expect(() => feedGraph(graph, { batch: 1, inputs: given }, sources)).toThrow(/has no input "mask"/)
  expect(() =>
    feedGraph(graph, { batch: 2, inputs: { pixel_values: new Float32Array(3) } }, sources),
  ).toThrow(/pixel_values has 3 numbers, but \[2,3\] are 6/)
})
