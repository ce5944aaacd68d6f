import { BlvitError, throwIfAborted } from '../base/blvit-error.js'
import { preparedBatches } from '../batches/prepared-batches.js'
import { Engine, type EngineRunOptions } from '../engine/engine.js'
import type { ImageInput } from '../image/node/decode.js'
import { type PrepareOptions, preparePicture } from '../image/node/prepare.js'
import { loadSharp } from '../image/node/sharp.js'
import type { Preprocessing } from '../image/preprocessing.js'
import { modelFingerprint } from '../model-store/fingerprint.js'
import type { ModelFiles } from '../model-store/model-files.js'
import type { Architecture } from '../models/architecture.js'
import { type Classification, rankClasses } from '../problems/classify.js'
import type { ChosenRuntime } from '../runtime/node/choose.js'
import type { LoadOptions } from '../runtime/runtime.js'
import { assertRoutes, type TraceOptions, traceOutputs, tracePicture } from './trace/trace.js'
import type { Trace } from './trace/traced-steps.js'

export interface ClassifyOptions extends EngineRunOptions, PrepareOptions {
  /** How many labels. Default 5. */
  readonly top?: number | undefined
}

/** Pictures that one run of the engine takes; more only needs more memory, not less time. */
const picturesPerRun = 8

/**
 * A model with its weights, ready to run. Made by {@link load}; holds native memory until `dispose()` or the
 * end of its `await using` block.
 */
export class Model implements AsyncDisposable {
  readonly architecture: Architecture
  readonly preprocessing: Preprocessing
  /** Class names in class order. */
  readonly labels: readonly string[]
  private readonly engines = new Map<string, Promise<Engine>>()
  private disposed = false

  constructor(
    /** What it was loaded by. */
    readonly name: string,
    private readonly files: ModelFiles,
    /** The engine that runs it, and why that one. */
    readonly engine: ChosenRuntime,
    /** How the engine was asked to run it. */
    readonly engineOptions: Pick<LoadOptions, 'threads' | 'precision'> = {},
  ) {
    this.architecture = files.architecture
    this.preprocessing = files.preprocessing
    this.labels = files.labels
  }

  /** Loads the engine and the decoder of pictures now instead of at the first one, which then waits 0.3 s less. */
  async warmUp(): Promise<void> {
    await Promise.all([this.classifier(), loadSharp()])
  }

  private classifier(): Promise<Engine> {
    return this.engineFor('classify', ({ outputs }) => ({ logits: outputs.logits }))
  }

  private engineFor(key: string, outputsOf: Parameters<typeof Engine.load>[1]): Promise<Engine> {
    if (this.disposed) throw new BlvitError('ENGINE', `${this.name} was disposed. Load it again to use it.`)
    const { architecture, weights } = this.files
    const { runtime } = this.engine
    const engine =
      this.engines.get(key) ?? Engine.load({ architecture, weights, runtime }, outputsOf, this.engineOptions)
    this.engines.set(key, engine)
    return engine
  }

  /**
   * The labels of a picture; of an array of pictures, an array in the same order.
   * @throws BlvitError `BAD_IMAGE`, `NOT_FOUND`, `BAD_OPTION`, `ENGINE`, `ABORTED`
   * @example
   * const { top } = await model.classify('hummingbird.jpg', { top: 3 })
   */
  async classify(image: ImageInput, options?: ClassifyOptions): Promise<Classification>
  async classify(images: readonly ImageInput[], options?: ClassifyOptions): Promise<Classification[]>
  async classify(
    images: ImageInput | readonly ImageInput[],
    options: ClassifyOptions = {},
  ): Promise<Classification | Classification[]> {
    const many = Array.isArray(images)
    const inputs: readonly ImageInput[] = many ? images : [images as ImageInput]
    const results: Classification[] = []
    // The engine loads while the first pictures are decoded; if it can't, their run says why.
    this.warmUp().catch(() => {})
    const prepare = (input: ImageInput) => this.prepare(input, options)
    for await (const prepared of preparedBatches(inputs, prepare, { batch: picturesPerRun })) {
      throwIfAborted(options.signal)
      results.push(...(await this.classifyPrepared(prepared, options)))
    }
    return many ? results : (results[0] as Classification)
  }

  /** Decodes, resizes, crops and normalises, while the event loop goes on. @returns `[channels, height, width]` */
  async prepare(image: ImageInput, options: PrepareOptions = {}): Promise<Float32Array> {
    return (await preparePicture(image, this.preprocessing, options)).input
  }

  /** Like {@link classify}, in one run of the engine, for pictures from {@link prepare}. */
  async classifyPrepared(
    pictures: readonly Float32Array[],
    { top = 5, ...options }: ClassifyOptions = {},
  ): Promise<Classification[]> {
    const engine = await this.classifier()
    const { outputs, elapsedMs } = await engine.run(batchOf(pictures), options)
    const logits = outputs.logits?.values as Float32Array
    const classes = this.labels.length
    return pictures.map((_, row) => ({
      top: rankClasses(logits.subarray(row * classes, (row + 1) * classes), this.labels, { top }),
      elapsedMs: elapsedMs / pictures.length,
    }))
  }

  /** The raw class scores, before softmax. @returns `[pictures, classes]`, row-major */
  async logits(pictures: readonly Float32Array[], options: EngineRunOptions = {}): Promise<Float32Array> {
    const engine = await this.classifier()
    const { outputs } = await engine.run(batchOf(pictures), options)
    return outputs.logits?.values as Float32Array
  }

  /**
   * Which patches went through the big blocks, selection by selection.
   * @throws BlvitError `UNSUPPORTED` if the model treats all tokens alike; else as {@link classify}
   */
  async trace(image: ImageInput, options: TraceOptions = {}): Promise<Trace> {
    assertRoutes(this)
    const engine = await this.engineFor('trace', traceOutputs)
    return tracePicture(this, engine, image, options)
  }

  /** Changes when anything does that decides the answers. Reads all weights. */
  fingerprint(): Promise<string> {
    return modelFingerprint(this.files)
  }

  /** Frees memory and threads; the model can't be used afterwards. */
  async dispose(): Promise<void> {
    this.disposed = true
    const engines = [...this.engines.values()]
    this.engines.clear()
    // An engine that failed to load has told whoever asked for it, and holds nothing.
    for (const engine of await Promise.allSettled(engines)) {
      if (engine.status === 'fulfilled') await engine.value.dispose()
    }
    await this.engine.runtime.rest()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }
}

function batchOf(pictures: readonly Float32Array[]) {
  const [first] = pictures
  if (first && pictures.length === 1) return { count: 1, values: first }
  const size = first?.length ?? 0
  const values = new Float32Array(pictures.length * size)
  pictures.forEach((picture, row) => {
    values.set(picture, row * size)
  })
  return { count: pictures.length, values }
}
