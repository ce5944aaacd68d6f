import { describe, expect, test } from 'vitest'
import { feedGraph } from '../../src/engine/feeds.js'
import { symbol } from '../../src/graph/dim.js'
import { graphOf } from '../../src/graph/graph.js'
import { add, input, noiseInput } from '../../src/graph/ops/index.js'

const graph = graphOf('sum', {
  y: add(input('x', [symbol('batch'), 4]), noiseInput('noise', [symbol('batch'), 4])),
})
const options = { sizes: {}, seed: 3 }
const [a, b] = [Float32Array.of(1, 2, 3, 4), Float32Array.of(5, 6, 7, 8)]

function noiseOf(pictures: Float32Array[], seed = 3): number[][] {
  const x = Float32Array.from(pictures.flatMap((picture) => [...picture]))
  const { noise } = feedGraph(graph, { batch: pictures.length, inputs: { x } }, { sizes: {}, seed })
  const values = Array.from(noise?.values ?? [], Number)
  return pictures.map((_, row) => values.slice(4 * row, 4 * (row + 1)))
}

describe('what a graph is fed with', () => {
  test('an input that nobody gave is an error, never noise', () => {
    expect(() => feedGraph(graph, { batch: 1, inputs: {} }, options)).toThrow(
      /asks for the input "x", which it wasn't given\. It was given nothing/,
    )
  })

  test('so is one that the graph doesn’t have, and one of another size', () => {
    const more = { batch: 1, inputs: { x: a, points: a } }
    expect(() => feedGraph(graph, more, options)).toThrow(/no input "points"\. Its inputs are x, noise/)
    expect(() => feedGraph(graph, { batch: 2, inputs: { x: a } }, options)).toThrow(
      /x has 4 numbers, but \[2,4\] are 8/,
    )
  })

  test('noise follows the seed, the input’s name and the picture, not its place in a batch', () => {
    const [[first], [second]] = [noiseOf([a]), noiseOf([b])]
    expect(noiseOf([a, b])).toEqual([first, second])
    expect(noiseOf([b, a])).toEqual([second, first])
    expect(first).not.toEqual(second)
    expect(noiseOf([a], 4)).not.toEqual([first])
    expect(first?.every((value) => value >= 0 && value < 1)).toBe(true)
  })
})
