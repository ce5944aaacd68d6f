import fc from 'fast-check'
import * as ort from 'onnxruntime-node'
import { expect } from 'vitest'
import { seededRandom } from '../../src/base/random.js'
import { type Bindings, type Dim, symbol } from '../../src/graph/dim.js'
import { type Graph, graphOf } from '../../src/graph/graph.js'
import { zeros } from '../../src/graph/initialiser.js'
import type { Target } from '../../src/graph/lowering.js'
import { toOnnx } from '../../src/graph/onnx/write.js'
import { input, linear, parameter, sizeInput } from '../../src/graph/ops/index.js'
import type { Tensor } from '../../src/graph/tensor.js'
import { nativeRuntime } from '../../src/runtime/node/native.js'
import { ortSession } from '../../src/runtime/ort-session.js'
import { placeWeights } from '../../src/runtime/place-weights.js'
import type { NamedTensors, Session, TensorData } from '../../src/runtime/runtime.js'
import { storedFrom } from '../../src/weights/stored-from.js'
import type { StoredTensor, StoredTensors } from '../../src/weights/stored-tensor.js'
import { expectClose } from '../support/expect-close.js'
import { generate, type Numbers } from './reference.js'

/** A symbolic tensor and the numbers it must have at this run. */
export interface Known {
  readonly tensor: Tensor
  readonly numbers: Numbers
}

/** A size: fixed in the graph, or a name (or a sum of such) and the value it gets when the graph runs. */
export type Size = number | readonly [name: string | Dim, value: number]

const valueAt = (size: Size): number => (typeof size === 'number' ? size : size[1])
const dimOf = (size: Size): Dim => {
  if (typeof size === 'number') return size
  return typeof size[0] === 'string' ? symbol(size[0]) : size[0]
}

async function loadModel(
  graph: Graph,
  weights: StoredTensors,
  options: { target: Target; sizes?: Bindings },
): Promise<Session> {
  const { storageOf } = await placeWeights(weights, { locate: () => undefined })
  const model = toOnnx(graph, { ...options, storageOf })
  return ortSession(
    ort,
    await ort.InferenceSession.create(model, { intraOpNumThreads: 1, logSeverityLevel: 4 }),
    { writesInto: true },
  )
}

/** How each lowering of a graph comes to run; that for WebGPU on the processor, which can what WebGPU can. */
const loaders: Readonly<
  Record<Target, (graph: Graph, weights: StoredTensors, sizes: Bindings) => Promise<Session>>
> = {
  native: async (graph, weights) => (await nativeRuntime()).load(graph, weights, { threads: 1 }),
  standard: (graph, weights) => loadModel(graph, weights, { target: 'standard' }),
  // it knows its sizes when it is loaded
  webgpu: (graph, weights, sizes) => loadModel(graph, weights, { target: 'webgpu', sizes }),
}

/** WebGPU has no integers of 64 bits: indices are float32, and sizes are no inputs. */
function asWebGpuFeeds(feeds: Readonly<Record<string, TensorData>>): Record<string, TensorData> {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, { shape, values }]) => [
      name,
      { dtype: 'float32', shape, values: Float32Array.from(values as ArrayLike<number | bigint>, Number) },
    ]),
  )
}

/** Makes inputs and parameters with random numbers, and runs what is built of them under both lowerings. */
export class Bench {
  readonly weights = new Map<string, StoredTensor>()
  private readonly feeds: Record<string, TensorData> = {}
  private readonly sizes: Tensor[] = []
  private readonly bindings: Record<string, number> = {}
  private readonly random: () => number

  constructor(seed: number) {
    this.random = seededRandom(seed)
  }

  private remember(sizes: readonly Size[]): void {
    for (const size of sizes) {
      if (typeof size !== 'number' && typeof size[0] === 'string') this.bindings[size[0]] = size[1]
    }
  }

  private draw(sizes: readonly number[]): Numbers {
    return generate(sizes, () => Math.fround(4 * this.random() - 2))
  }

  /** @param numbers default: random in [-2, 2) */
  input(name: string, sizes: readonly Size[], numbers = this.draw(sizes.map(valueAt))): Known {
    const shape = sizes.map(valueAt)
    this.remember(sizes)
    this.feeds[name] = { dtype: 'float32', shape, values: Float32Array.from(numbers.values) }
    return { tensor: input(name, sizes.map(dimOf)), numbers }
  }

  indices(name: string, sizes: readonly Size[], numbers: Numbers): Known {
    const values = BigInt64Array.from(numbers.values, BigInt)
    this.remember(sizes)
    this.feeds[name] = { dtype: 'int64', shape: sizes.map(valueAt), values }
    return { tensor: input(name, sizes.map(dimOf), { dtype: 'int64' }), numbers }
  }

  /** A size that is fed, like bLViT's `kept`. */
  size(name: string, value: number): Dim {
    const { tensor, size } = sizeInput(name)
    this.bindings[name] = value
    this.feeds[name] = { dtype: 'int64', shape: [1], values: BigInt64Array.of(BigInt(value)) }
    this.sizes.push(tensor)
    return size
  }

  parameter(name: string, shape: readonly number[], numbers = this.draw(shape)): Known {
    this.weights.set(name, storedFrom(Float32Array.from(numbers.values), shape))
    return { tensor: parameter(name, shape, zeros), numbers }
  }

  /** The same numbers as the flat rows that a linear map gives: the other form an op may be handed. */
  asRows({ tensor, numbers }: Known): Known {
    const width = numbers.shape.at(-1) ?? 1
    const identity = generate([width, width], ([i, j]) => (i === j ? 1 : 0))
    const none = generate([width], () => 0)
    const weight = this.parameter(`identity${width}`, [width, width], identity)
    return {
      tensor: linear(tensor, weight.tensor, this.parameter(`none${width}`, [width], none).tensor),
      numbers,
    }
  }

  graph(outputs: Readonly<Record<string, Known>>): Graph {
    const tensors = Object.entries(outputs).map(([name, { tensor }]) => [name, tensor] as const)
    return graphOf('bench', Object.fromEntries(tensors), { sizes: this.sizes })
  }

  /** Feeds the graph what it asks for. */
  async run(graph: Graph, target: Target): Promise<NamedTensors> {
    await using session = await loaders[target](graph, this.weights, this.bindings)
    const names = graph.inputs.map(({ leaf }) => (leaf ? leaf.name : ''))
    const feeds = Object.fromEntries(Object.entries(this.feeds).filter(([name]) => names.includes(name)))
    return await session.run(target === 'webgpu' ? asWebGpuFeeds(feeds) : feeds)
  }

  /** Default tolerance: float32 sums of some dozen terms of size 4 against float64. */
  async expectNumbers(
    outputs: Readonly<Record<string, Known>>,
    tolerance = { rtol: 1e-5, atol: 2e-5 },
    targets: readonly Target[] = ['native', 'standard'],
  ) {
    const graph = this.graph(outputs)
    for (const target of targets) {
      const results = await this.run(graph, target)
      for (const [name, { numbers }] of Object.entries(outputs)) {
        const got = results[name]
        expect(got?.shape, `${name}, ${target}: shape`).toEqual(numbers.shape)
        expectClose(Array.from(got?.values ?? [], Number), numbers.values, tolerance)
      }
    }
  }
}

/** Sizes of token tensors: a lone picture, a lone token and a lone channel included. */
export const sizes = {
  batch: fc.integer({ min: 1, max: 3 }),
  tokens: fc.integer({ min: 1, max: 7 }),
  width: fc.integer({ min: 1, max: 9 }),
}

/** A property of ops under both lowerings, with random sizes and numbers; fast-check prints the seed. */
export function onBenches<S>(
  arbitrary: fc.Arbitrary<S>,
  check: (bench: Bench, sizes: S) => Promise<void>,
  { runs = 30 }: { runs?: number } = {},
): Promise<void> {
  const property = fc.asyncProperty(fc.nat(), arbitrary, (seed, chosen) => check(new Bench(seed), chosen))
  return fc.assert(property, { numRuns: runs })
}
