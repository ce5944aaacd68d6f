import { describe, expect, test } from 'vitest'
import { feedGraph } from '../../src/engine/feeds.js'
import { graphOf, graphWork } from '../../src/graph/graph.js'
import { narrow } from '../../src/graph/narrow.js'
import { attention, input, parameter, slice } from '../../src/graph/ops/index.js'
import { programOf } from '../../src/models/model-definition.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import { resolveSettings } from '../../src/settings/resolve.js'
import { expectClose } from '../support/expect-close.js'
import { outputsOf, randomFeeds, randomModel, shrunk } from '../support/tiny-models.js'

const rows = 3
const columns = 4

/** A tiny model as it is run at some settings, and the same with nothing that isn't read. */
function graphsOf(preset: string, settings: Record<string, unknown> = {}) {
  const files = randomModel(shrunk(preset, { rows, columns }))
  const { architecture, build, sizes } = resolveSettings(files.architecture, settings)
  const model = architecture.build(build)
  const whole = graphOf(preset, programOf(model, 'classify'), { sizes: model.sizes })
  return { files, sizes, whole, narrowed: narrow(whole) }
}

describe('a graph of which only a few rows are read', () => {
  test.each([
    ['vit-tiny', {}],
    ['vit-tiny', { reduce: 'evit:0.7' }],
    ['vit-tiny', { reduce: 'tome:2' }],
    ['t+48', { keepRatio: 0.5 }],
    ['t+48', { keepMass: 0.7 }],
  ])('gives the same logits with less work: %s %o', async (preset, settings) => {
    const { files, sizes, whole, narrowed } = graphsOf(preset, settings)
    const feeds = randomFeeds(files.architecture, { count: 2 })
    const runtime = await nativeRuntime()
    const logitsOf = async (graph: typeof whole) => {
      await using session = await runtime.load(graph, files.weights)
      const { logits } = await session.run(
        feedGraph(graph, feeds, { sizes, noise: () => new Float32Array() }),
      )
      return logits?.values as Float32Array
    }
    // sums of other lengths round otherwise
    expectClose(await logitsOf(narrowed), await logitsOf(whole), { atol: 1e-5, rtol: 1e-5 })
    expect(graphWork(narrowed, { batch: 1, ...sizes })).toBeLessThan(graphWork(whole, { batch: 1, ...sizes }))
  })

  test('a plain ViT does of its last block only keys and values for all tokens', () => {
    const { files, whole, narrowed } = graphsOf('vit-tiny')
    const { embed_dim: width = 0 } = files.architecture.json as { embed_dim?: number }
    const others = rows * columns
    // of each other token: its query, its output map, both maps of the MLP; products with the keys and values of all tokens
    const saved = others * (width * width * (1 + 1 + 4 + 4) + 2 * width * (others + 1))
    expect(graphWork(whole, { batch: 1 }) - graphWork(narrowed, { batch: 1 })).toBe(saved)
  })

  test('what is read whole stays whole, and so does what is read twice', () => {
    const { architecture } = randomModel(shrunk('vit-tiny'))
    const all = graphOf('all', outputsOf(architecture.build({})))
    expect(narrow(all)).toBe(all)
    const x = input('x', [1, 8, 4])
    const mixed = attention(x, x, x, { heads: 2 })
    const parts = [0, 1].map((start) => slice(mixed, { axis: 1, start, end: start + 1 }))
    const twice = graphOf('twice', { a: parts[0] as typeof x, b: parts[1] as typeof x })
    expect(narrow(twice)).toBe(twice)
  })

  test('parts of weights stay what is read from their file', () => {
    const weight = parameter('weight', [6, 2], { kind: 'truncatedNormal', deviation: 1 })
    const graph = graphOf('rows', { out: slice(weight, { axis: 0, end: 2 }) })
    expect(narrow(graph)).toBe(graph)
  })
})
