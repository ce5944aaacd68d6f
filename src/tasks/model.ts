import { preparedBatches } from '../base/ahead.js'
import { BlvitError, throwIfAborted } from '../base/blvit-error.js'
import { checkOptions, type OptionKeys } from '../base/check-options.js'
import { Engine, type EngineRun, type EngineRunOptions } from '../engine/engine.js'
import { outputRows, pixelFeeds } from '../engine/rows.js'
import { graphOf } from '../graph/graph.js'
import type { ImageInput } from '../image/image-input.js'
import {
  type ImageDecoder,
  type PreparedPicture,
  type PrepareOptions,
  prepareKeys,
  preparePicture,
} from '../image/prepare.js'
import type { Preprocessing } from '../image/preprocessing.js'
import { modelFingerprint } from '../model-store/fingerprint.js'
import { filesOf, type ModelFiles } from '../model-store/model-files.js'
import type { Architecture } from '../models/architecture.js'
import type { ScoreFunction } from '../models/score-function.js'
import { type Classification, type ClassificationOptions, classify } from '../problems/classify.js'
import { type EmbedOptions, embed } from '../problems/embed.js'
import type { AnswerContext, Problem } from '../problems/problem.js'
import type { ChosenRuntime, LoadOptions } from '../runtime/runtime.js'
import { resolveSettings } from '../settings/resolve.js'
import { type Settings, settingKeys, settingsOf } from '../settings/settings.js'
import { assertTraceable, type TraceOptions, tracePicture, traceProgram } from './trace/trace.js'
import type { Trace } from './trace/traced-steps.js'

/** How pictures are prepared and run, whatever is asked of them. */
export interface RunOptions extends EngineRunOptions, PrepareOptions {}

const runKeys: OptionKeys<RunOptions> = { seed: true, ...settingKeys, ...prepareKeys }
const traceKeys: OptionKeys<TraceOptions> = { top: true, ...runKeys }

export interface ClassifyOptions extends RunOptions, ClassificationOptions {}

/** An answer, and what it took. */
export interface Answered<Answer> {
  readonly answer: Answer
  /** The engine's time, shared equally by the pictures of a batch. */
  readonly elapsedMs: number
}

/** How a model is run: what decodes its pictures, and how its engine was asked to run it. */
export interface ModelOptions extends Pick<LoadOptions, 'threads' | 'precision'> {
  readonly decoder: ImageDecoder
  /** Settings of every run that says nothing else. Default: the model's own. */
  readonly settings?: Settings | undefined
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
  /** How the numbers of its head become scores. */
  readonly scores: ScoreFunction
  /** What had to be assumed because no file of the model says it, in words for people. */
  readonly assumptions: readonly string[]
  private readonly engines = new Map<string, Promise<Engine>>()
  private disposed = false

  /** @throws BlvitError `BAD_OPTION` for settings that the model can't take */
  constructor(
    /** What it was loaded by. */
    readonly name: string,
    private readonly files: ModelFiles,
    /** The engine that runs it, and why that one. */
    readonly engine: ChosenRuntime,
    readonly engineOptions: ModelOptions,
  ) {
    this.architecture = files.architecture
    this.preprocessing = files.preprocessing
    this.labels = files.labels
    this.scores = files.scores
    this.assumptions = files.assumptions
    this.resolve({})
  }

  /** The files on this machine that it was read from, for who writes files and must not destroy any of them. */
  get readFrom(): readonly string[] {
    return filesOf(this.files)
  }

  /** What a run with these options does, the model's own settings included. */
  resolve(options: Settings) {
    return resolveSettings(this.architecture, { ...this.engineOptions.settings, ...settingsOf(options) })
  }

  /** Whether a run with these options picks something at random, which `seed` then decides. */
  isRandom(options: Settings = {}): boolean {
    const model = this.architecture.build(this.resolve(options).build)
    const outputs = Object.values(model.programs).flatMap((program) => Object.values(program))
    const { inputs } = graphOf(this.name, Object.fromEntries(outputs.entries()), { sizes: model.sizes })
    return inputs.some(({ leaf }) => leaf?.kind === 'input' && leaf.role === 'noise')
  }

  private get context(): AnswerContext {
    const { prefix, facts } = this.architecture
    const { classToken, projection } = facts
    return { labels: this.labels, scores: this.scores, prefix, classToken, projection }
  }

  /**
   * Loads the engine and the decoder of pictures now instead of at the first one, which then waits 0.3 s less.
   * @param problem what will be asked. Default: classification
   */
  async warmUp(problem: Pick<Problem<unknown>, 'name' | 'outputs'> = classify): Promise<void> {
    await Promise.all([this.engineFor(problem), this.engineOptions.decoder.warmUp?.()])
  }

  private engineFor({ name, outputs }: Pick<Problem<unknown>, 'name' | 'outputs'>): Promise<Engine> {
    if (this.disposed) throw new BlvitError('ENGINE', `${this.name} was disposed. Load it again to use it.`)
    const known = this.engines.get(name)
    if (known) return known
    const { architecture, weights } = this.files
    const parts = { architecture, weights, runtime: this.engine.runtime }
    const { threads, precision, settings } = this.engineOptions
    const engine = Engine.load(parts, outputs, { threads, precision, ...(settings && { settings }) })
    this.engines.set(name, engine)
    // what failed once may go well the next time: memory is free again, a file is back
    engine.catch(() => this.engines.delete(name))
    return engine
  }

  /** Runs some outputs of the model on pictures from {@link prepare}. */
  private async run(
    problem: Pick<Problem<unknown>, 'name' | 'outputs'>,
    pictures: readonly Float32Array[],
    { seed, ...options }: EngineRunOptions,
  ): Promise<EngineRun> {
    const engine = await this.engineFor(problem)
    return engine.run(pixelFeeds(pictures), { seed, ...this.engineOptions.settings, ...settingsOf(options) })
  }

  /** @throws BlvitError `BAD_OPTION` for options that make no sense with this model, before anything runs */
  check<Answer, Options extends object>(
    problem: Problem<Answer, Options>,
    options: Options & Settings,
  ): void {
    const { name, optionKeys } = problem
    if (optionKeys) checkOptions(`option of ${name}`, options, { ...optionKeys, ...runKeys })
    problem.check?.(options, this.context)
    this.resolve(options)
  }

  /**
   * The answers to a problem for pictures from {@link prepare}, in one run of the engine.
   * @throws BlvitError `BAD_OPTION`, `ENGINE`, `UNSUPPORTED` for a model that can't answer it
   */
  async answerPrepared<Answer, Options extends object>(
    problem: Problem<Answer, Options>,
    pictures: readonly Float32Array[],
    options: Options & EngineRunOptions,
  ): Promise<Answered<Answer>[]> {
    const { outputs, elapsedMs } = await this.run(problem, pictures, options)
    return pictures.map((_, row) => ({
      answer: problem.answer(outputRows(outputs, row), this.context, options),
      elapsedMs: elapsedMs / pictures.length,
    }))
  }

  /**
   * The answers to a problem, in the order of the pictures, which are decoded ahead of the engine.
   * @throws BlvitError `BAD_IMAGE`, `NOT_FOUND`, `BAD_OPTION`, `ENGINE`, `ABORTED`, `UNSUPPORTED`
   */
  async answer<Answer, Options extends object>(
    problem: Problem<Answer, Options>,
    images: ImageInput | readonly ImageInput[],
    options: Options & RunOptions,
  ): Promise<Answered<Answer>[]> {
    if (typeof problem?.answer !== 'function') {
      const advice = 'Give one of `problems`, e.g. model.answer(problems.classify, ["photo.jpg"], {}).'
      throw new BlvitError('BAD_OPTION', `${problem} is no problem. ${advice}`)
    }
    this.check(problem, options)
    const answers: Answered<Answer>[] = []
    // The engine loads while the first pictures are decoded; if it can't, their run says why.
    this.warmUp(problem).catch(() => {})
    const prepare = (input: ImageInput) => this.prepare(input, options)
    for await (const prepared of preparedBatches(listOf(images), prepare, { batch: picturesPerRun })) {
      throwIfAborted(options.signal)
      answers.push(...(await this.answerPrepared(problem, prepared, options)))
    }
    return answers
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
    const answers = await this.answer(classify, images, options)
    const results = answers.map(({ answer, elapsedMs }) => ({ top: answer, elapsedMs }))
    return Array.isArray(images) ? results : onlyOne(results)
  }

  /**
   * A picture as a vector, `[width]`, `[2·width]` with pooling `both`, `[projection]` with `projection`; of an array of
   * pictures, an array.
   * @throws BlvitError as {@link classify}
   * @example
   * const vector = await model.embed('hummingbird.jpg', { pooling: 'mean', normalize: true })
   */
  async embed(image: ImageInput, options?: EmbedOptions & RunOptions): Promise<Float32Array>
  async embed(images: readonly ImageInput[], options?: EmbedOptions & RunOptions): Promise<Float32Array[]>
  async embed(
    images: ImageInput | readonly ImageInput[],
    options: EmbedOptions & RunOptions = {},
  ): Promise<Float32Array | Float32Array[]> {
    const vectors = (await this.answer(embed, images, options)).map(({ answer }) => answer)
    return Array.isArray(images) ? vectors : onlyOne(vectors)
  }

  /** Decodes, resizes, crops and normalises, while the event loop goes on. @returns `[channels, height, width]` */
  async prepare(image: ImageInput, options: PrepareOptions = {}): Promise<Float32Array> {
    return (await this.preparePicture(image, options)).input
  }

  private preparePicture(image: ImageInput, options: PrepareOptions): Promise<PreparedPicture> {
    return preparePicture(image, this.preprocessing, { ...options, decoder: this.engineOptions.decoder })
  }

  /** The raw class scores, before softmax. @returns `[pictures, classes]`, row-major */
  async logits(pictures: readonly Float32Array[], options: EngineRunOptions = {}): Promise<Float32Array> {
    const { outputs } = await this.run(classify, pictures, options)
    return outputs.logits?.values as Float32Array
  }

  /**
   * What became of each patch: which were dropped, merged, or went through the big blocks.
   * @throws BlvitError `UNSUPPORTED` if the model treats all tokens alike; else as {@link classify}
   */
  async trace(image: ImageInput, options: TraceOptions = {}): Promise<Trace> {
    checkOptions('option of trace', options, traceKeys)
    assertTraceable(this, options)
    const picture = await this.preparePicture(image, options)
    return tracePicture(this, picture, options, (pixels) => this.run(traceProgram, [pixels], options))
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
    try {
      for (const engine of await Promise.allSettled(engines)) {
        if (engine.status === 'fulfilled') await engine.value.dispose()
      }
    } finally {
      await this.engine.runtime.rest()
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }
}

function listOf(images: ImageInput | readonly ImageInput[]): readonly ImageInput[] {
  return Array.isArray(images) ? images : [images as ImageInput]
}

/** Of a question about one picture. */
function onlyOne<T>(results: readonly T[]): T {
  const [result] = results
  if (result === undefined) throw new Error('blvit bug: no answer')
  return result
}
