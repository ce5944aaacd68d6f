import { graphOf } from '../graph/graph.js'
import type { Tensor } from '../graph/tensor.js'
import type { Architecture } from '../models/architecture.js'
import type { ModelDefinition } from '../models/model-definition.js'
import type { LoadOptions, NamedTensors, Runtime } from '../runtime/runtime.js'
import { type ResolvedSettings, resolveSettings } from '../settings/resolve.js'
import { type Settings, settingsOf } from '../settings/settings.js'
import { fitToGrid } from '../weights/fit-to-grid.js'
import type { StoredTensors } from '../weights/stored-tensor.js'
import { checkFinite, checkHiddenWeights } from './check-finite.js'
import { type Feeds, feedGraph, noiseOfPictures } from './feeds.js'
import { type LoadedGraph, LoadedGraphs } from './loaded-graphs.js'
import { readPart } from './read-part.js'

/** How a model is to run: its settings, and what chance starts from. */
export interface EngineRunOptions extends Settings {
  /** Decides what a model picks that picks at random. Default 0. */
  readonly seed?: number | undefined
}

export interface EngineRun {
  readonly outputs: NamedTensors
  readonly elapsedMs: number
}

/** What an engine is made of. */
export interface EngineParts {
  readonly architecture: Architecture
  readonly weights: StoredTensors
  readonly runtime: Runtime
}

/**
 * Some outputs of a model, loaded into a runtime. It is loaded once for all values of run-time sizes, and once more for
 * each way in which settings have it built; on WebGPU, where sizes must be numbers, for each value of them.
 */
export class Engine implements AsyncDisposable {
  private readonly loaded = new LoadedGraphs()

  private constructor(
    private readonly parts: EngineParts,
    private readonly outputsOf: (model: ModelDefinition) => Readonly<Record<string, Tensor>>,
    private readonly options: LoadOptions,
  ) {}

  /** @param options `settings`: those that are loaded at once; default: the model's own */
  static async load(
    parts: EngineParts,
    outputsOf: (model: ModelDefinition) => Readonly<Record<string, Tensor>>,
    { settings, ...options }: LoadOptions & { settings?: Settings } = {},
  ): Promise<Engine> {
    const engine = new Engine(parts, outputsOf, options)
    await engine.graphFor(resolveSettings(parts.architecture, settings))
    return engine
  }

  private graphFor({ architecture, sizes, build, buildKey }: ResolvedSettings): Promise<LoadedGraph> {
    const { architecture: stored, runtime } = this.parts
    const { precision = 'fp32' } = this.options
    const fixed = runtime.target === 'webgpu' ? sizes : {}
    const key = [buildKey, ...Object.entries(fixed).map(([name, size]) => `${name}=${size}`)].join(' ')
    return this.loaded.for(key, async () => {
      const model = architecture.build({ ...build, sizes: { ...build.sizes, ...fixed } })
      const whole = graphOf(architecture.family, this.outputsOf(model), { sizes: model.sizes })
      const graph = readPart(whole, { precision })
      const weights = await fitToGrid(this.parts.weights, { from: stored, to: architecture })
      await checkHiddenWeights(graph, weights, { precision, target: runtime.target })
      return { graph, session: await runtime.load(graph, weights, this.options) }
    })
  }

  /**
   * @param where `lane`: see {@link Session.run}
   * @throws BlvitError `BAD_OPTION` for impossible settings or other inputs than the model's, `ENGINE`
   */
  async run(
    feeds: Feeds,
    { seed = 0, ...options }: EngineRunOptions = {},
    { lane }: { readonly lane?: number | undefined } = {},
  ): Promise<EngineRun> {
    const settings = resolveSettings(this.parts.architecture, settingsOf(options))
    const { graph, session } = await this.graphFor(settings)
    const inputs = feedGraph(graph, feeds, { sizes: settings.sizes, noise: noiseOfPictures(feeds, seed) })
    const start = performance.now()
    const outputs = await session.run(inputs, lane === undefined ? {} : { lane })
    const elapsedMs = performance.now() - start
    const { precision = 'fp32' } = this.options
    await checkFinite(outputs, { precision, weights: this.parts.weights })
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
