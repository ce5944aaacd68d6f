import { seededRandom } from '../base/random.js'
import { evaluate } from '../graph/dim.js'
import { graphOf } from '../graph/graph.js'
import type { Precision } from '../graph/lowering.js'
import type { Tensor } from '../graph/tensor.js'
import type { Architecture } from '../models/architecture.js'
import type { ModelDefinition } from '../models/model-definition.js'
import type { LoadOptions, NamedTensors, Runtime } from '../runtime/runtime.js'
import type { StoredTensors } from '../weights/stored-tensor.js'
import { checkLogits } from './check-logits.js'
import { keptPatches } from './keep-ratio.js'
import { type LoadedGraph, LoadedGraphs } from './loaded-graphs.js'

/** Prepared pictures of one size. */
export interface PixelBatch {
  readonly count: number
  /** `[count, channels, height, width]` */
  readonly values: Float32Array
}

export interface EngineRunOptions {
  readonly keepRatio?: number | undefined
  /** Decides what a model with random selection picks. Default 0. */
  readonly seed?: number | undefined
}

export interface EngineRun {
  readonly outputs: NamedTensors
  readonly elapsedMs: number
}

/** Some outputs of a model, loaded into a runtime. */
export class Engine implements AsyncDisposable {
  private constructor(
    private readonly architecture: Architecture,
    private readonly loaded: LoadedGraphs,
    private readonly precision: Precision,
  ) {}

  static async load(
    {
      architecture,
      weights,
      runtime,
    }: { architecture: Architecture; weights: StoredTensors; runtime: Runtime },
    outputsOf: (model: ModelDefinition) => Readonly<Record<string, Tensor>>,
    options: LoadOptions = {},
  ): Promise<Engine> {
    const loadGraph = async (kept: number | undefined): Promise<LoadedGraph> => {
      const model = architecture.build(kept === undefined ? {} : { kept })
      const graph = graphOf(architecture.family, outputsOf(model), { sizes: model.sizes })
      return { graph, session: await runtime.load(graph, weights, options) }
    }
    const loaded = new LoadedGraphs(loadGraph, { fixedSizes: runtime.target === 'webgpu' })
    await loaded.for(keptPatches(architecture))
    return new Engine(architecture, loaded, options.precision ?? 'fp32')
  }

  /** @throws BlvitError `BAD_OPTION` for an impossible keep ratio, `ENGINE` if the result is not a number */
  async run(pixels: PixelBatch, { keepRatio, seed = 0 }: EngineRunOptions = {}): Promise<EngineRun> {
    const kept = keptPatches(this.architecture, keepRatio)
    const sizes = { batch: pixels.count, ...(kept === undefined ? {} : { kept }) }
    const { graph, session } = await this.loaded.for(kept)
    const inputs = Object.fromEntries(
      graph.inputs.map((tensor, i) => [nameOf(tensor), feed(tensor, sizes, pixels, seed + i)]),
    )
    const start = performance.now()
    const outputs = await session.run(inputs)
    const elapsedMs = performance.now() - start
    if (outputs.logits) checkLogits(outputs.logits, { precision: this.precision })
    return { outputs, elapsedMs }
  }

  /** See {@link LoadOptions.profilePrefix}. */
  endProfile(): Promise<void> {
    return this.loaded.endProfile()
  }

  dispose(): Promise<void> {
    return this.loaded.dispose()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }
}

function nameOf(tensor: Tensor): string {
  if (tensor.leaf?.kind !== 'input') throw new Error('blvit bug: not an input')
  return tensor.leaf.name
}

/** What an input of the graph is fed with: the pictures, a size, or noise. */
function feed(tensor: Tensor, sizes: Readonly<Record<string, number>>, pixels: PixelBatch, seed: number) {
  const shape = tensor.shape.map((dim) => evaluate(dim, sizes))
  const leaf = tensor.leaf?.kind === 'input' ? tensor.leaf : undefined
  if (leaf?.role === 'size') {
    const values = BigInt64Array.of(BigInt(sizes[leaf.defines] ?? 0))
    return { dtype: 'int64' as const, shape, values }
  }
  if (leaf?.name === 'pixel_values') return { dtype: 'float32' as const, shape, values: pixels.values }
  // The same noise for every picture of a batch, so that a picture's result doesn't depend on its neighbours.
  const [batch = 1, ...rest] = shape
  const random = seededRandom(seed)
  const noise = Float32Array.from({ length: rest.reduce((a, b) => a * b, 1) }, random)
  const values = new Float32Array(batch * noise.length)
  for (let row = 0; row < batch; row++) values.set(noise, row * noise.length)
  return { dtype: 'float32' as const, shape, values }
}
