import * as ort from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/base/random.js'
import { symbol } from '../../src/graph/dim.js'
import { floatTypes } from '../../src/graph/float-types.js'
import { type Graph, graphOf } from '../../src/graph/graph.js'
import { zeros } from '../../src/graph/initialiser.js'
import type { Precision, Target } from '../../src/graph/lowering.js'
import type { StorageOf } from '../../src/graph/onnx/parameter-storage.js'
import { toOnnx } from '../../src/graph/onnx/write.js'
import {
  argsort,
  gather,
  input,
  linear,
  multiply,
  parameter,
  reshape,
  slice,
  softmax,
} from '../../src/graph/ops/index.js'
import { programOf } from '../../src/models/model-definition.js'
import { placeWeights } from '../../src/runtime/place-weights.js'
import { storedFrom } from '../../src/weights/stored-from.js'
import { expectClose } from '../support/expect-close.js'
import { outputsOf, randomModel, randomPixels, shrunk } from '../support/tiny-models.js'

const noParameters: StorageOf = () => {
  throw new Error('no parameters')
}

/** Runs node by node, as written: optimised, the processor would take back casts, and with them the rounding. */
async function run(
  graph: Graph,
  how: { target: Target; precision: Precision; storageOf: StorageOf },
  inputs: Readonly<Record<string, ort.Tensor>>,
): Promise<Record<string, number[]>> {
  const options = { graphOptimizationLevel: 'disabled', logSeverityLevel: 4 } as const
  const session = await ort.InferenceSession.create(toOnnx(graph, how), options)
  const outputs = await session.run(inputs)
  await session.release()
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { data }]) => [name, Array.from(data as Float32Array, Number)]),
  )
}

describe.each([
  ['vit-micro', {}, []],
  ['micro+16', {}, ['Gather', 'Linear', 'Parameter', 'Reshape', 'Softmax']],
  ['micro+16', { selection: 'cls' }, ['Gather', 'QueryAttention', 'Slice']],
] as const)('%s %j in float16', (name, changes, rankingOps) => {
  const { architecture, weights } = randomModel(shrunk(name, { rows: 4, columns: 4, ...changes }))
  const kept = architecture.settings.keepRatio === undefined ? undefined : 8
  const pictures = randomPixels(architecture, { count: 2 })
  const { channels, image } = architecture
  const pixels = new ort.Tensor('float32', pictures.values, [2, channels, image.height, image.width])

  test.each(['native', 'standard', 'webgpu'] as const)(
    'takes and gives float32, and rounds to float16 on the way: %s',
    async (target) => {
      const model = architecture.build(target === 'webgpu' && kept ? { sizes: { kept } } : {})
      const graph = graphOf(name, programOf(model, 'classify'), { sizes: model.sizes })
      const { storageOf } = await placeWeights(weights, { locate: () => undefined })
      const feeds = {
        pixel_values: pixels,
        ...(model.sizes.length > 0 && { kept: new ort.Tensor('int64', [BigInt(kept ?? 0)], [1]) }),
      }
      const [exact, rounded] = await Promise.all(
        (['fp32', 'fp16'] as const).map((precision) => run(graph, { target, precision, storageOf }, feeds)),
      )
      // 11 bits of significand, a few roundings in each of a dozen layers
      const scale = Math.max(...(exact?.logits ?? []).map(Math.abs))
      expectClose(rounded?.logits ?? [], exact?.logits ?? [], { atol: 0.02 * scale })
      expect(rounded).not.toEqual(exact)
    },
  )

  test('is everything but what ranks tokens', () => {
    const model = architecture.build()
    const { nodes } = graphOf(name, outputsOf(model), { sizes: model.sizes })
    const typeOf = floatTypes(nodes, 'fp16')
    const float32 = nodes.filter((node) => node.dtype === 'float32' && typeOf(node) === 'float32')
    expect([...new Set(float32.map(({ op }) => op))].sort()).toEqual(rankingOps)
    expect(nodes.every((node) => floatTypes(nodes, 'fp32')(node) === 'float32')).toBe(true)
  })
})

describe('tokens ranked in a graph of float16', () => {
  const [tokens, width, kept] = [64, 4, 5]
  const patches = input('patches', [symbol('batch'), tokens, width])
  const logits = linear(patches, parameter('weight', [1, width], zeros), parameter('bias', [1], zeros))
  const scores = softmax(reshape(logits, [symbol('batch'), tokens]))
  const order = argsort(scores)
  const chosen = gather(multiply(patches, patches), slice(order, { axis: 1, end: kept }))
  const graph = graphOf('selection', { order, chosen })
  const weights = new Map([
    ['weight', storedFrom(Float32Array.of(1, 1e-4, 0, 0), [1, width])],
    ['bias', storedFrom(Float32Array.of(0), [1])],
  ])
  // Scores that float16 can't tell from one another: all round to 1/64.
  const random = seededRandom(3)
  const values = Float32Array.from({ length: tokens * width }, (_, i) => (i % width === 1 ? random() : 0.5))
  const feeds = { patches: new ort.Tensor('float32', values, [1, tokens, width]) }

  test.each(['native', 'standard', 'webgpu'] as const)(
    'are those that float32 ranks highest: %s',
    async (target) => {
      const { storageOf } = await placeWeights(weights, { locate: () => undefined })
      const exact = await run(graph, { target, precision: 'fp32', storageOf }, feeds)
      const rounded = await run(graph, { target, precision: 'fp16', storageOf }, feeds)
      expect(new Set(exact.order).size).toBe(tokens)
      expect(exact.order).not.toEqual(exact.order?.toSorted((a, b) => a - b))
      // the tokens that come in are float16 themselves, so a pair may change places where even they agree
      const ranks = (order: readonly number[] = []) => order.map((token) => values[width * token + 1] ?? 0)
      expectClose(ranks(rounded.order), ranks(exact.order), { atol: 2 ** -11 })
      expectClose(rounded.chosen ?? [], exact.chosen ?? [], { atol: 2 ** -10 })
    },
  )
})

test('float indices beyond what float16 counts to pick the right tokens', async () => {
  const tokens = 2100
  const scores = input('scores', [1, tokens])
  const x = input('x', [1, tokens, 2])
  const order = argsort(scores)
  const graph = graphOf('many', { order, sorted: gather(x, order) })
  const feeds = {
    scores: new ort.Tensor(
      'float32',
      Float32Array.from({ length: tokens }, (_, i) => i),
      [1, tokens],
    ),
    // small whole numbers, which float16 keeps
    x: new ort.Tensor(
      'float32',
      Float32Array.from({ length: 2 * tokens }, (_, i) => i % 97),
      [1, tokens, 2],
    ),
  }
  const how = { precision: 'fp16', storageOf: noParameters } as const
  const found = await run(graph, { target: 'webgpu', ...how }, feeds)
  expect(found).toEqual(await run(graph, { target: 'standard', ...how }, feeds))
  expect(found.order?.slice(0, 3)).toEqual([2099, 2098, 2097])
})
