import { describe, expect, test } from 'vitest'
import type { BlvitError } from '../../src/base/blvit-error.js'
import { addCosts, conventions, noCost } from '../../src/graph/cost.js'
import { evaluate, formatDim, plus, sameDim, symbol } from '../../src/graph/dim.js'
import { graphOf } from '../../src/graph/graph.js'
import { truncatedNormal, zeros } from '../../src/graph/initialiser.js'
import type { Target } from '../../src/graph/lowering.js'
import { toOnnx } from '../../src/graph/onnx/write.js'
import {
  attention,
  compact,
  concat,
  expand,
  greater,
  input,
  linear,
  mean,
  parameter,
  reshape,
  sizeInput,
  slice,
} from '../../src/graph/ops/index.js'
import { printGraph } from '../../src/graph/print.js'
import { scope } from '../../src/graph/scope.js'
import { sizeAt } from '../../src/graph/tensor.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import type { Runtime } from '../../src/runtime/runtime.js'
import { webRuntime } from '../../src/runtime/web.js'
import { storedFrom } from '../../src/weights/stored-from.js'
import { evaluateTensors } from '../support/evaluate.js'
import { expectClose } from '../support/expect-close.js'

const [patches, width, wide] = [9, 4, 6]

/**
 * A picture decides how many of its patches go on: those whose score is above 0.5 are compacted, mapped, attend to each
 * other beside a class token, and tell their mean. Nothing is computed for the others.
 */
function adaptive() {
  const x = input('x', [1, patches, width])
  const scores = input('scores', [1, patches])
  const cls = parameter('cls', [1, 1, wide], zeros)
  return scope('blocks.3', () => {
    const kept = compact(reshape(x, [patches, width]), reshape(greater(scores, 0.5), [patches]), {
      size: 'kept',
    })
    const mapped = linear(
      kept,
      parameter('weight', [wide, width], truncatedNormal),
      parameter('bias', [wide], zeros),
    )
    const tokens = concat([cls, reshape(mapped, [1, sizeAt(kept, 0), wide])], { axis: 1 })
    const attended = attention(tokens, tokens, tokens, { heads: 2 })
    // as many rows as the count, without reading the rows themselves
    const repeated = expand(slice(attended, { axis: 1, end: 1 }), [1, sizeAt(kept, 0), wide])
    return { kept, attended, mean: mean(attended), repeated }
  })
}

const leaves = {
  cls: { shape: [1, 1, wide], values: Float32Array.from({ length: wide }, (_, i) => Math.sin(i)) },
  'blocks.3.weight': {
    shape: [wide, width],
    values: Float32Array.from({ length: wide * width }, (_, i) => Math.cos(i)),
  },
  'blocks.3.bias': { shape: [wide], values: Float32Array.from({ length: wide }, (_, i) => i / 7) },
}

const picture = Float32Array.from({ length: patches * width }, (_, i) => Math.sin(i * 12.9898))

/** Scores of which so many are above 0.5, spread over the picture. */
const scoresFor = (kept: number) =>
  Float32Array.from({ length: patches }, (_, i) => ((i * 4) % patches < kept ? 0.75 : 0.5))

const runtimes: readonly (readonly [name: string, () => Promise<Runtime>])[] = [
  ['native', () => nativeRuntime()],
  ['WebAssembly', () => webRuntime()],
]

describe('a count that a picture decides', () => {
  test.each(runtimes)('%s: rows are compacted, and what follows is as large as they are', async (_, open) => {
    const outputs = adaptive()
    const graph = graphOf('adaptive', outputs)
    const weights = new Map(
      Object.entries(leaves).map(([name, { shape, values }]) => [name, storedFrom(values, shape)]),
    )
    await using session = await (await open()).load(graph, weights, { threads: 1 })
    // one session, whatever the pictures decide; none and all of the patches too
    for (const kept of [4, 0, 1, 9, 6]) {
      const scores = scoresFor(kept)
      const got = await session.run({
        x: { dtype: 'float32', shape: [1, patches, width], values: picture },
        scores: { dtype: 'float32', shape: [1, patches], values: scores },
      })
      const numbers = {
        ...Object.fromEntries(
          Object.entries(leaves).map(([name, { shape, values }]) => [
            name,
            { shape, data: Float64Array.from(values) },
          ]),
        ),
        x: { shape: [1, patches, width], data: Float64Array.from(picture) },
        scores: { shape: [1, patches], data: Float64Array.from(scores) },
      }
      const expected = evaluateTensors(Object.values(outputs), numbers)
      expect(got.kept?.shape).toEqual([kept, width])
      for (const [i, name] of Object.keys(outputs).entries()) {
        expect(got[name]?.shape, `${name} of ${kept}`).toEqual(expected[i]?.shape)
        expectClose(Array.from(got[name]?.values ?? [], Number), expected[i]?.data ?? [], {
          rtol: 1e-5,
          atol: 1e-5,
        })
      }
    }
  })

  test('shapes, costs and the printed graph mention it by its name', () => {
    const { attended, mean: result } = adaptive()
    const kept = symbol('blocks.3.kept')
    expect(sameDim(sizeAt(attended, 1), plus(kept, 1))).toBe(true)
    const graph = graphOf('adaptive', { mean: result })
    const cost = graph.nodes.map((node) => node.cost()).reduce(addCosts, noCost)
    expect(formatDim(conventions.linear(cost))).toBe('24·blocks.3.kept')
    // the mean of a data set, which is no whole number
    expect(evaluate(conventions.linear(cost), { 'blocks.3.kept': 4.5 })).toBe(108)
    expect(printGraph(graph)).toMatchInlineSnapshot(`
      "adaptive(x, scores)
      blocks.3
        %0 = Reshape(x)                                                        [9, 4]
        %1 = Constant() value=0.5                                              []
        %2 = Greater(scores, %1)                                               [1, 9]
        %3 = Reshape(%2)                                                       [9]
        %4 = Compact(%0, %3) size=blocks.3.kept                                [blocks.3.kept, 4]
        %5 = Linear(%4, weight, bias)                                          [blocks.3.kept, 6]
        %6 = Reshape(%5)                                                       [1, blocks.3.kept, 6]
        %7 = Concat(cls, %6) axis=1                                            [1, blocks.3.kept+1, 6]
        %8 = Attention(%7, %7, %7) heads=2                                     [1, blocks.3.kept+1, 6]
        %9 = ReduceSum(%8) axes=0,1,2                                          [1, 1, 1]
        %10 = Reshape(%9)                                                      [1]
        %11 = DivideBySize(%10) size=6·blocks.3.kept+6                         [1]  → mean"
    `)
  })

  test('a cost without a number for it says which size is missing', () => {
    const { mean: result } = adaptive()
    const costs = graphOf('adaptive', { result }).nodes.map((node) => conventions.linear(node.cost()))
    expect(() => costs.map((cost) => evaluate(cost, { batch: 1 }))).toThrow(
      'The size "blocks.3.kept" of 24·blocks.3.kept has no value here. Give it one, as in { "blocks.3.kept": 49 }.',
    )
  })
})

const noWeights = () => ({ dtype: 'F32' as const, ranges: [{ sizeBytes: 96, bytes: new Uint8Array(96) }] })
const written = (
  graph: ReturnType<typeof graphOf>,
  options: { target?: Target; sizes?: Record<string, number> } = {},
) => {
  try {
    return toOnnx(graph, { storageOf: noWeights, ...options })
  } catch (thrown) {
    return thrown as BlvitError
  }
}

describe('what can not be', () => {
  test('WebGPU refuses a count, with the reason', () => {
    expect(written(graphOf('adaptive', { kept: adaptive().kept }), { target: 'webgpu' })).toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringMatching(
        /blocks\.3 keeps \(blocks\.3\.kept\) is decided by each picture, but on WebGPU/,
      ),
    })
  })

  test('WebGPU refuses a size that is fed at each run, unless it is fixed', () => {
    const { tensor, size } = sizeInput('kept')
    const first = slice(input('tokens', [symbol('batch'), 9, 4]), { axis: 1, end: size })
    const graph = graphOf('routed', { first }, { sizes: [tensor] })
    expect(written(graph, { target: 'webgpu' })).toMatchObject({
      code: 'BAD_OPTION',
      message:
        'routed has the input "kept" for a size, but on WebGPU sizes must be known when a graph is loaded. ' +
        'Build the model with a fixed one (sizes: { kept: … }), or write it for another target.',
    })
    expect(written(graph, { target: 'webgpu', sizes: { kept: 4 } })).toBeInstanceOf(Uint8Array)
  })

  test('a count is not fixed beforehand', () => {
    const graph = graphOf('adaptive', { kept: adaptive().kept })
    expect(written(graph, { sizes: { 'blocks.3.kept': 4 } })).toMatchObject({
      code: 'BAD_OPTION',
      message: "The size blocks.3.kept of adaptive is counted when it runs: it can't be fixed at 4.",
    })
  })

  test('two counts of one name are refused', () => {
    const { kept } = adaptive()
    const { kept: again } = adaptive()
    expect(() => graphOf('adaptive', { kept, again })).toThrow(
      'The size blocks.3.kept is told twice, by Compact in blocks.3 and by Compact in blocks.3.',
    )
  })

  test('a size that nothing tells is named', () => {
    const nowhere = expand(parameter('token', [1, 4], zeros), [symbol('nowhere'), 4])
    expect(written(graphOf('lost', { nowhere }))).toMatchObject({
      code: 'SHAPE_MISMATCH',
      message: expect.stringContaining(
        'needs the size "nowhere", which no input and no op of the graph tells',
      ),
    })
  })
})
