import { checkOptions, type OptionKeys } from '../base/check-options.js'
import type { CallOptions } from '../engine/dispatcher.js'
import type { EngineRunOptions } from '../engine/engine.js'
import type { Asked } from '../engine/engine-forms.js'
import type { LanePlan, Parallel } from '../engine/lane-plan.js'
import { graphOf } from '../graph/graph.js'
import type { ImageInput } from '../image/image-input.js'
import type { ImageDecoder, PrepareOptions } from '../image/prepare.js'
import type { Preprocessing } from '../image/preprocessing.js'
import { modelFingerprint } from '../model-store/fingerprint.js'
import { filesOf, type ModelFiles } from '../model-store/model-files.js'
import type { Architecture } from '../models/architecture.js'
import type { ScoreFunction } from '../models/score-function.js'
import { type Classification, type ClassificationOptions, classify } from '../problems/classify.js'
import { type EmbedOptions, embed } from '../problems/embed.js'
import { logits as logitsProblem } from '../problems/logits.js'
import type { Problem } from '../problems/problem.js'
import type { ChosenRuntime, LoadOptions } from '../runtime/runtime.js'
import { onlyClassification, resolveStages, type StagedSettings, settingsOver } from '../settings/resolve.js'
import { oneStage, type Settings, settingsOf } from '../settings/settings.js'
import { ModelAnswers, type RunOptions, runKeys } from './model-answers.js'
import { ModelPictures } from './model-pictures.js'
import { ModelRuns } from './model-runs.js'
import { type FindObjects, ObjectFinder } from './object-finder.js'
import { assertTraceable, type TraceOptions, tracePicture } from './trace/trace.js'
import type { Trace } from './trace/traced-steps.js'
import type { Answered } from './two-stages.js'

const traceKeys: OptionKeys<TraceOptions> = { top: true, ...runKeys }

export interface ClassifyOptions extends RunOptions, ClassificationOptions {}

/** How a model is run: what decodes its pictures, and how its engine was asked to run it. */
export interface ModelOptions extends Pick<LoadOptions, 'threads' | 'precision'> {
  readonly decoder: ImageDecoder
  /** Settings of every run that says nothing else. Default: the model's own. */
  readonly settings?: Settings | undefined
  /** Pictures that are run at once. Default `auto`. */
  readonly parallel?: Parallel | undefined
  /** Pictures of calls that may be in work or wait. Default 256. */
  readonly queue?: number | undefined
  /** Where the objects of pictures are, for a setting that asks: `reduce: 'atf:mask.json,objects=given'`. */
  readonly objects?: FindObjects | undefined
}

/**
 * A model with its weights, ready to run. Made by {@link load}; holds native memory until `dispose()` or the
 * end of its `await using` block.
 */
export class Model implements AsyncDisposable {
  /** Class names in class order. */
  readonly labels: readonly string[]
  /** How the numbers of its head become scores. */
  readonly scores: ScoreFunction
  /** What had to be assumed because no file of the model says it, in words for people. */
  readonly assumptions: readonly string[]
  /** Of runs that say nothing else. */
  private readonly settings: Settings
  private readonly runs: ModelRuns
  private readonly pictures: ModelPictures
  private readonly answers: ModelAnswers

  /** @throws BlvitError `BAD_OPTION` for settings that the model can't take, or lanes where there are none */
  constructor(
    /** What it was loaded by. */
    readonly name: string,
    /** What it is made of: architecture, weights, how pictures are prepared. */
    readonly files: ModelFiles,
    /** The engine that runs it, and why that one. */
    readonly engine: ChosenRuntime,
    readonly engineOptions: ModelOptions,
  ) {
    const { architecture, weights, runsAt } = files
    this.labels = files.labels
    this.scores = files.scores
    this.assumptions = files.assumptions
    this.settings = { ...(runsAt && { imageSize: runsAt }), ...settingsOf(engineOptions.settings ?? {}) }
    const usual = this.resolve({})
    const { threads, precision, parallel = 'auto', queue, decoder } = engineOptions
    const objects = new ObjectFinder(name, engineOptions.objects)
    objects.assertNeeded(usual)
    const resolve = (options: Settings) => this.resolve(options)
    this.runs = new ModelRuns(
      name,
      { architecture, weights, runtime: engine.runtime },
      {
        ...{ threads, precision, parallel, queue, resolve },
        loaded: oneStage(usual.values),
        usual: oneStage(this.settings),
      },
    )
    this.pictures = new ModelPictures({ preprocessing: files.preprocessing, decoder, objects, resolve })
    const { prefix, facts } = architecture
    const { classToken, projection } = facts
    const context = { labels: this.labels, scores: this.scores, prefix, classToken, projection }
    this.answers = new ModelAnswers({ runs: this.runs, pictures: this.pictures, objects, context, resolve })
  }

  /** The files on this machine that it was read from, for who writes files and must not destroy any of them. */
  get readFrom(): readonly string[] {
    return filesOf(this.files)
  }

  /** What a run with these options does, the model's own settings included. */
  resolve(options: Settings): StagedSettings {
    return resolveStages(this.files.architecture, settingsOver(this.settings, settingsOf(options)))
  }

  /** What it runs as where nothing else is said: at the image size that it was loaded for. */
  get architecture(): Architecture {
    return this.resolve({}).architecture
  }

  /** How pictures are prepared where nothing else is said. */
  get preprocessing(): Preprocessing {
    return this.preprocessingFor({})
  }

  /** How pictures are prepared for a run with these settings: resize and crop keep their proportion at any image size. */
  preprocessingFor(settings: Settings): Preprocessing {
    return this.pictures.preprocessingFor(settings)
  }

  /** The same for each of its stages, if it has two. */
  preprocessingsFor(settings: Settings): readonly Preprocessing[] {
    return this.pictures.preprocessingsFor(settings)
  }

  /** Whether a run with these options picks something at random, which `seed` then decides. */
  isRandom(options: Settings = {}): boolean {
    const { architecture, build } = this.resolve(options)
    const model = architecture.build(build)
    const outputs = Object.values(model.programs).flatMap((program) => Object.values(program))
    const { inputs } = graphOf(this.name, Object.fromEntries(outputs.entries()), { sizes: model.sizes })
    return inputs.some(({ leaf }) => leaf?.kind === 'input' && leaf.role === 'noise')
  }

  /**
   * Loads the engine and the decoder of pictures now instead of at the first one, which then waits 0.3 s less.
   * @param problem what will be asked. Default: classification
   * @param options `pictures`: how many will come, which decides whether engines are opened beside each other. Default 1
   */
  async warmUp(
    problem: Asked = classify,
    { pictures = 1 }: { readonly pictures?: number } = {},
  ): Promise<void> {
    await this.answers.warmUp(problem, { pictures })
  }

  /** How many engines work beside each other, and with how many threads each, when so many pictures are to be run. */
  planFor(pictures: number): LanePlan {
    return this.runs.planFor(pictures)
  }

  /**
   * Pictures that one run best takes when so many are to be run; in int8 one, because there they share their scales.
   * @param options `otherwise`: where one engine has all threads. Default 8
   */
  batchFor(pictures: number, settings: Settings, options: { readonly otherwise?: number } = {}): number {
    return this.runs.batchFor(pictures, settings, options)
  }

  /** @throws BlvitError `BAD_OPTION` for options that make no sense with this model, before anything runs */
  check<Answer, Options extends object>(
    problem: Problem<Answer, Options>,
    options: Options & Settings,
  ): void {
    this.answers.check(problem, options)
  }

  /**
   * The answers to a problem for pictures from {@link prepare}, in one run of the engine.
   * @throws BlvitError `BAD_OPTION`, `ENGINE`, `ABORTED`, `UNSUPPORTED` for a model that can't answer it
   */
  async answerPrepared<Answer, Options extends object>(
    problem: Problem<Answer, Options>,
    pictures: readonly Float32Array[],
    options: Options & EngineRunOptions & CallOptions,
  ): Promise<Answered<Answer>[]> {
    const { caller, signal } = options
    return this.answers.ofPrepared(problem, pictures, options, { caller, signal })
  }

  /**
   * The answers to a problem, in the order of the pictures, which are decoded ahead of the engine. Calls may be made while
   * others are in work: they take turns, and pictures that were asked for one by one are run together where that is faster.
   * @throws BlvitError `BAD_IMAGE`, `NOT_FOUND`, `BAD_OPTION`, `ENGINE`, `ABORTED`, `UNSUPPORTED`; `BUSY` if more pictures
   *   are in work than the model's queue holds
   */
  async answer<Answer, Options extends object>(
    problem: Problem<Answer, Options>,
    images: ImageInput | readonly ImageInput[],
    options: Options & RunOptions,
  ): Promise<Answered<Answer>[]> {
    return this.answers.of(problem, listOf(images), options)
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
    const results = answers.map(({ answer, ...took }) => ({ top: answer, ...took }))
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

  /**
   * Decodes, resizes, crops and normalises, while the event loop goes on.
   * @param options settings among them: an image size makes pictures of that size
   * @returns `[channels, height, width]`; for two stages that of the first and behind it that of the second
   */
  async prepare(image: ImageInput, options: PrepareOptions & Settings = {}): Promise<Float32Array> {
    return this.pictures.prepare(image, options)
  }

  /** The raw class scores, before softmax. @returns `[pictures, classes]`, row-major */
  async logits(
    pictures: readonly Float32Array[],
    { caller, signal, ...options }: EngineRunOptions & CallOptions = {},
  ): Promise<Float32Array> {
    const rows = await this.answers.ofPrepared(logitsProblem, pictures, options, { caller, signal })
    const logits = new Float32Array(pictures.length * this.architecture.classes)
    rows.forEach(({ answer }, row) => {
      logits.set(answer, row * answer.length)
    })
    return logits
  }

  /**
   * What became of each patch: which were dropped, merged, or went through the big blocks.
   * @throws BlvitError `UNSUPPORTED` if the model treats all tokens alike; else as {@link classify}
   */
  async trace(image: ImageInput, options: TraceOptions = {}): Promise<Trace> {
    checkOptions('option of trace', options, traceKeys)
    assertTraceable(this, options)
    const { first, key } = this.resolve(options)
    if (first) throw onlyClassification(key)
    const picture = await this.pictures.preparedPicture(image, options)
    return tracePicture(this, picture, options, (pixels) => this.answers.traced(pixels, options))
  }

  /** Changes when anything does that decides the answers. Reads all weights. */
  fingerprint(): Promise<string> {
    return modelFingerprint(this.files)
  }

  /** Frees memory and threads; the model can't be used afterwards, and calls that wait are refused. */
  async dispose(): Promise<void> {
    await this.runs.dispose()
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
