import { preparedAhead, preparedBatches } from '../base/ahead.js'
import { defined } from '../base/assert.js'
import { BlvitError, throwIfAborted } from '../base/blvit-error.js'
import { checkOptions, type OptionKeys } from '../base/check-options.js'
import type { CallOptions } from '../engine/dispatcher.js'
import type { EngineRunOptions } from '../engine/engine.js'
import type { Asked } from '../engine/engine-forms.js'
import type { LanePlan, Parallel } from '../engine/lane-plan.js'
import { outputRows } from '../engine/rows.js'
import { graphOf } from '../graph/graph.js'
import type { ImageInput } from '../image/image-input.js'
import {
  type ImageDecoder,
  type PreparedPicture,
  type PrepareOptions,
  prepareKeys,
  preparePicture,
  preparePictures,
} from '../image/prepare.js'
import type { Preprocessing } from '../image/preprocessing.js'
import { modelFingerprint } from '../model-store/fingerprint.js'
import { filesOf, type ModelFiles } from '../model-store/model-files.js'
import type { Architecture } from '../models/architecture.js'
import type { ScoreFunction } from '../models/score-function.js'
import { type Classification, type ClassificationOptions, classify } from '../problems/classify.js'
import { type EmbedOptions, embed } from '../problems/embed.js'
import { logits as logitsProblem } from '../problems/logits.js'
import type { AnswerContext, Problem } from '../problems/problem.js'
import type { ChosenRuntime, LoadOptions } from '../runtime/runtime.js'
import { prepareInFrame } from '../segmentation/frame-pixels.js'
import { onlyClassification, resolveStages, type StagedSettings, settingsOver } from '../settings/resolve.js'
import { oneStage, type Settings, settingKeys, settingsOf } from '../settings/settings.js'
import { batchesAhead, ModelRuns, runsAheadOf } from './model-runs.js'
import { asksForObjects, type FindObjects, ObjectFinder, type RunTogether } from './object-finder.js'
import { assertTraceable, type TraceOptions, tracePicture, traceProgram } from './trace/trace.js'
import type { Trace } from './trace/traced-steps.js'
import { type Answered, forBoth, inTwoStages, type StageAnswers } from './two-stages.js'

/** How pictures are prepared and run, whatever is asked of them. */
export interface RunOptions extends EngineRunOptions, PrepareOptions {}

const runKeys: OptionKeys<RunOptions> = { seed: true, ...settingKeys, ...prepareKeys }
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
  private readonly preprocessings = new Map<string, Preprocessing>()
  private readonly runs: ModelRuns
  /** Of runs that say nothing else. */
  private readonly settings: Settings
  private readonly objects: ObjectFinder

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
    const resolved = this.resolve({})
    const { threads, precision, parallel = 'auto', queue, objects } = engineOptions
    this.objects = new ObjectFinder(name, objects)
    this.objects.assertNeeded(resolved)
    this.runs = new ModelRuns(
      name,
      { architecture, weights, runtime: engine.runtime },
      {
        ...{ threads, precision, parallel, queue },
        loaded: oneStage(resolved.values),
        usual: oneStage(this.settings),
        resolve: (options) => this.resolve(options),
      },
    )
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
    return this.preprocessingOf(this.resolve(settings).architecture)
  }

  /** The same for each of its stages, if it has two. */
  preprocessingsFor(settings: Settings): readonly Preprocessing[] {
    const { first, architecture } = this.resolve(settings)
    const stages = first ? [first.resolved.architecture, architecture] : [architecture]
    return stages.map((each) => this.preprocessingOf(each))
  }

  private preprocessingOf({ image: { height, width } }: Architecture): Preprocessing {
    const size = `${height}×${width}`
    // one object a size: its tables are kept by it
    const made = this.preprocessings.get(size) ?? { ...this.files.preprocessing, height, width }
    this.preprocessings.set(size, made)
    return made
  }

  /** Whether a run with these options picks something at random, which `seed` then decides. */
  isRandom(options: Settings = {}): boolean {
    const { architecture, build } = this.resolve(options)
    const model = architecture.build(build)
    const outputs = Object.values(model.programs).flatMap((program) => Object.values(program))
    const { inputs } = graphOf(this.name, Object.fromEntries(outputs.entries()), { sizes: model.sizes })
    return inputs.some(({ leaf }) => leaf?.kind === 'input' && leaf.role === 'noise')
  }

  private get context(): AnswerContext {
    const { prefix, facts } = this.files.architecture
    const { classToken, projection } = facts
    return { labels: this.labels, scores: this.scores, prefix, classToken, projection }
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
    await Promise.all([this.runs.open(problem, { pictures }), this.engineOptions.decoder.warmUp?.()])
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
    const { name, optionKeys } = problem
    if (optionKeys) checkOptions(`option of ${name}`, options, { ...optionKeys, ...runKeys })
    problem.check?.(options, this.context)
    const resolved = this.resolve(options)
    if (resolved.first && (!problem.isSure || this.scores === 'none' || asksForObjects(resolved)))
      throw onlyClassification(resolved.key)
    this.objects.assertAnswers(resolved)
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
    return this.answerRun(problem, pictures, options, { caller, signal })
  }

  private async answerRun<Answer, Options extends object>(
    problem: Problem<Answer, Options>,
    pictures: readonly Float32Array[],
    options: Options & EngineRunOptions,
    call: CallOptions & { readonly shares?: boolean },
  ): Promise<Answered<Answer>[]> {
    const { first, values } = this.resolve(options)
    if (!first) return [...(await this.answerOnce(problem, pictures, options, call)).answers]
    const { image, channels } = first.resolved.architecture
    return inTwoStages(pictures, channels * image.height * image.width, {
      first: (small) =>
        this.answerOnce(problem, small, { ...options, ...first.resolved.values }, { ...call, ...first }),
      second: (whole) => this.answerOnce(problem, whole, { ...options, ...values }, call),
    })
  }

  /** In one stage. @param call `sureFrom`: tells which answers are less probable */
  private async answerOnce<Answer, Options extends object>(
    problem: Problem<Answer, Options>,
    pictures: readonly Float32Array[],
    options: Options & EngineRunOptions,
    { sureFrom, ...call }: CallOptions & { readonly shares?: boolean; readonly sureFrom?: number },
  ): Promise<StageAnswers<Answer>> {
    const answers = new Map<number, Answered<Answer>>()
    const unsure: number[] = []
    const answerSome = async ({ places, objects }: RunTogether) => {
      const some = places.flatMap((place) => pictures[place] ?? [])
      const { outputs, elapsedMs } = await this.runs.run(problem, some, { ...options, objects }, call)
      places.forEach((place, row) => {
        const rows = outputRows(outputs, row)
        const answer = problem.answer(rows, this.context, options)
        answers.set(place, { answer, elapsedMs: elapsedMs / some.length })
        if (sureFrom !== undefined && !problem.isSure?.(rows, this.context, sureFrom)) unsure.push(place)
      })
    }
    await Promise.all(this.objects.groups(pictures, this.resolve(options)).map(answerSome))
    return { answers: pictures.map((_, place) => defined(answers.get(place), 'an answer')), unsure }
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
    if (typeof problem?.answer !== 'function') {
      const advice = 'Give one of `problems`, e.g. model.answer(problems.classify, ["photo.jpg"], {}).'
      throw new BlvitError('BAD_OPTION', `${problem} is no problem. ${advice}`)
    }
    this.check(problem, options)
    this.runs.assertUsable()
    const list = listOf(images)
    const batch = this.batchFor(list.length, options)
    const runsAhead = runsAheadOf(this.planFor(list.length))
    const prepare = (input: ImageInput) => this.prepare(input, options)
    const call = { caller: {}, signal: options.signal, shares: list.length === 1 }
    const run = (prepared: Float32Array[]) => this.answerRun(problem, prepared, options, call)
    return this.runs.admitted(Math.min(list.length, batch * (runsAhead + batchesAhead)), async () => {
      // The engine loads while the first pictures are decoded; if it can't, their run says why.
      this.warmUp(problem, { pictures: list.length }).catch(() => {})
      const answers: Answered<Answer>[] = []
      const batches = preparedBatches(list, prepare, { batch, ahead: batchesAhead })
      for await (const some of preparedAhead(batches, run, { ahead: runsAhead })) {
        throwIfAborted(options.signal)
        answers.push(...some)
      }
      return answers
    })
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
    const ways = this.preprocessingsFor(options)
    if (ways.length > 1) {
      const { decoder } = this.engineOptions
      const [small, whole] = await preparePictures(image, ways, { ...options, decoder })
      return forBoth(defined(small, 'the small picture').input, defined(whole, 'the whole one').input)
    }
    return (await this.preparePicture(image, options)).input
  }

  private async preparePicture(
    image: ImageInput,
    options: PrepareOptions & Settings,
  ): Promise<PreparedPicture> {
    const run = this.resolve(options)
    const { decoder } = this.engineOptions
    const { masks } = run.architecture.facts
    if (masks) return prepareInFrame(image, masks, { ...options, decoder })
    const preprocessing = this.preprocessingOf(run.architecture)
    const picture = await preparePicture(image, preprocessing, { ...options, decoder })
    await this.objects.see(image, picture, { run, preprocessing })
    return picture
  }

  /** The raw class scores, before softmax. @returns `[pictures, classes]`, row-major */
  async logits(
    pictures: readonly Float32Array[],
    { caller, signal, ...options }: EngineRunOptions & CallOptions = {},
  ): Promise<Float32Array> {
    const rows = await this.answerRun(logitsProblem, pictures, options, { caller, signal })
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
    const picture = await this.preparePicture(image, options)
    return tracePicture(this, picture, options, (pixels) => {
      const [group] = this.objects.groups([pixels], this.resolve(options))
      return this.runs.run(traceProgram, [pixels], { ...options, objects: group?.objects })
    })
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
