import { preparedAhead, preparedBatches } from '../base/ahead.js'
import { defined } from '../base/assert.js'
import { BlvitError, throwIfAborted } from '../base/blvit-error.js'
import { checkOptions, type OptionKeys } from '../base/check-options.js'
import { type CallOptions, type DispatchedRun, Dispatcher } from '../engine/dispatcher.js'
import type { EngineRunOptions } from '../engine/engine.js'
import { type Asked, EngineForms, type ModelRun } from '../engine/engine-forms.js'
import {
  busyLanes,
  checkParallel,
  type LanePlan,
  type Parallel,
  picturesPerLaneRun,
} from '../engine/lane-plan.js'
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
import { objectsInput } from '../reduction/atf.js'
import type { PatchBits } from '../reduction/token-mask.js'
import type { ChosenRuntime, LoadOptions } from '../runtime/runtime.js'
import {
  onlyClassification,
  type ResolvedSettings,
  resolveSettings,
  resolveStages,
  type StagedSettings,
  settingsOver,
} from '../settings/resolve.js'
import { oneStage, type Settings, settingKeys, settingsOf } from '../settings/settings.js'
import { type FindObjects, ObjectFinder, type SamePatches } from './object-finder.js'
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

/** Pictures that one run of an engine with all threads takes; more only needs more memory, not less time. */
const picturesPerRun = 8

/** Pictures that may be in work or wait, if nothing else is said: some seconds of work, 150 MB of prepared pictures. */
const defaultQueue = 256

/** Calls that wait when a pool of engines is opened for them: one or two come to any server. */
const deepQueue = 4

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
  private readonly forms: EngineForms
  private readonly dispatcher: Dispatcher<ModelRun>
  /** Of runs that say nothing else. */
  private readonly settings: Settings
  private readonly objects: ObjectFinder | undefined
  private disposed = false
  /** Pictures of calls that have begun and not ended. */
  private inWork = 0

  /** @throws BlvitError `BAD_OPTION` for settings that the model can't take, or lanes where there are none */
  constructor(
    /** What it was loaded by. */
    readonly name: string,
    private readonly files: ModelFiles,
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
    const { threads, precision, parallel = 'auto', objects } = engineOptions
    this.objects = objects && new ObjectFinder(objects)
    if (objects && !asksForObjects(resolved)) throw unaskedObjects(name)
    const settings = oneStage(resolved.values)
    const { runtime } = engine
    checkParallel(parallel, { threads, source: runtime.lanes, where: runtime.description })
    this.forms = new EngineForms(
      { architecture, weights, runtime, weightBytes: floatBytes(files) },
      { threads, precision, settings, parallel, onChange: () => this.dispatcher.advance() },
    )
    this.dispatcher = new Dispatcher({
      lanes: () => this.forms.lanes(),
      picturesPerRun: ({ options }) => this.picturesPerRun(this.forms.planFor(1), options),
    })
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
    this.assertUsable()
    await Promise.all([this.forms.open(problem, { pictures }), this.engineOptions.decoder.warmUp?.()])
  }

  /** How many engines work beside each other, and with how many threads each, when so many pictures are to be run. */
  planFor(pictures: number): LanePlan {
    return this.forms.planFor(pictures)
  }

  /**
   * Pictures that one run best takes when so many are to be run; in int8 one, because there they share their scales.
   * @param options `otherwise`: where one engine has all threads. Default 8
   */
  batchFor(pictures: number, options: Settings, { otherwise = picturesPerRun } = {}): number {
    if (!this.isAlikeInBatches) return 1
    const plan = this.forms.planFor(pictures)
    if (plan.lanes === 1) return otherwise
    // two in one run would leave a lane without any
    const each = Math.max(1, Math.ceil(pictures / busyLanes(plan, pictures)))
    return Math.min(this.picturesPerRun(plan, options), each)
  }

  /** In int8 the pictures of a run share their scales: an answer there depends on its neighbours. */
  private get isAlikeInBatches(): boolean {
    return this.engineOptions.precision !== 'int8'
  }

  private picturesPerRun({ threads, lanes }: LanePlan, options: Settings): number {
    if (!this.isAlikeInBatches) return 1
    if (lanes === 1 || threads > 1) return picturesPerRun
    return picturesPerLaneRun(this.resolve(options))
  }

  private assertUsable(): void {
    if (this.disposed) throw this.disposedError()
  }

  private disposedError(): BlvitError {
    return new BlvitError('ENGINE', `${this.name} was disposed. Load it again to use it.`)
  }

  /** Runs some outputs of the model on pictures from {@link prepare}. */
  private async run(
    problem: Asked,
    pictures: readonly Float32Array[],
    { seed = 0, objects, ...options }: EngineRunOptions & { readonly objects?: PatchBits | undefined },
    call: CallOptions & { readonly shares?: boolean } = {},
  ): Promise<DispatchedRun> {
    const settings = settingsOver(oneStage(this.settings), oneStage(settingsOf(options)))
    const { key: setting } = resolveSettings(this.files.architecture, settings)
    const asked = `${problem.name}, ${setting}, seed ${seed}, ${pictures[0]?.length} numbers`
    const key = objects ? `${asked}, objects ${objects.map(Number).join('')}` : asked
    const inputs = objects && { [objectsInput]: Float32Array.from(objects, Number) }
    const run = { key, problem, options: { seed, ...settings }, inputs }
    const answer = this.dispatcher.run(run, pictures, call)
    // a queue that grows is many pictures too; who waits in it sees what is wrong with its engines
    if (this.dispatcher.waitingCalls >= deepQueue)
      this.forms.open(problem, { pictures: Number.POSITIVE_INFINITY }).catch(() => {})
    return answer
  }

  /** Pictures that go into one run: all of them, unless their objects stand in other patches. */
  private runsOf(pictures: readonly Float32Array[], options: Settings): readonly RunTogether[] {
    if (!asksForObjects(this.resolve(options))) return [{ places: pictures.map((_, place) => place) }]
    if (!this.objects) throw missingObjects(this.name)
    return this.objects.groups(pictures)
  }

  /** Lets a call begin. @throws BlvitError `BUSY` where too many have */
  private async admitted<T>(pictures: number, work: () => Promise<T>): Promise<T> {
    const { queue = defaultQueue } = this.engineOptions
    // a call that is larger than the queue gets its turn when there is no other
    if (this.inWork > 0 && this.inWork + pictures > queue) {
      throw new BlvitError(
        'BUSY',
        `${this.name} has ${this.inWork} pictures in work or waiting, and its queue holds ${queue}. Try again later, or load it ` +
          'with a longer queue.',
        { inWork: this.inWork, queue },
      )
    }
    this.inWork += pictures
    try {
      return await work()
    } finally {
      this.inWork -= pictures
    }
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
    if (asksForObjects(resolved) && !this.objects) throw missingObjects(this.name)
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
      const { outputs, elapsedMs } = await this.run(problem, some, { ...options, objects }, call)
      places.forEach((place, row) => {
        const rows = outputRows(outputs, row)
        const answer = problem.answer(rows, this.context, options)
        answers.set(place, { answer, elapsedMs: elapsedMs / some.length })
        if (sureFrom !== undefined && !problem.isSure?.(rows, this.context, sureFrom)) unsure.push(place)
      })
    }
    await Promise.all(this.runsOf(pictures, options).map(answerSome))
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
    this.assertUsable()
    const list = listOf(images)
    const batch = this.batchFor(list.length, options)
    const runsAhead = runsAheadOf(this.planFor(list.length))
    const prepare = (input: ImageInput) => this.prepare(input, options)
    const call = { caller: {}, signal: options.signal, shares: list.length === 1 }
    const run = (prepared: Float32Array[]) => this.answerRun(problem, prepared, options, call)
    return this.admitted(Math.min(list.length, batch * (runsAhead + batchesAhead)), async () => {
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
    const preprocessing = this.preprocessingFor(options)
    const { decoder } = this.engineOptions
    const picture = await preparePicture(image, preprocessing, { ...options, decoder })
    // of a run without filter nobody asks for them
    const resolved = this.objects && this.resolve(options)
    if (this.objects && resolved && asksForObjects(resolved)) {
      await this.objects.see(image, picture, { architecture: resolved.architecture, preprocessing })
    }
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
    return tracePicture(this, picture, options, (pixels) =>
      this.run(traceProgram, [pixels], { ...options, objects: this.runsOf([pixels], options)[0]?.objects }),
    )
  }

  /** Changes when anything does that decides the answers. Reads all weights. */
  fingerprint(): Promise<string> {
    return modelFingerprint(this.files)
  }

  /** Frees memory and threads; the model can't be used afterwards, and calls that wait are refused. */
  async dispose(): Promise<void> {
    this.disposed = true
    await this.dispatcher.close(this.disposedError())
    await this.forms.dispose()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }
}

/** Places of pictures that one run takes, and what they share. */
type RunTogether = Pick<SamePatches, 'places'> & { readonly objects?: PatchBits | undefined }

function asksForObjects({ build }: ResolvedSettings): boolean {
  return build.hooks?.inputs?.includes(objectsInput) ?? false
}

function missingObjects(name: string): BlvitError {
  const message = `${name} is to be told where the objects of its pictures are (objects=given), which only the library can: load(…, { objects: (image) => mask }).`
  return new BlvitError('BAD_OPTION', message)
}

function unaskedObjects(name: string): BlvitError {
  const message = `Nothing of ${name} asks where objects are: with "objects" give reduce: 'atf:mask.json,objects=given' too.`
  return new BlvitError('BAD_OPTION', message)
}

/** Batches that are prepared while as many runs as the lanes can take are out. */
const batchesAhead = 2

/** Runs that are worth to be given to the lanes at once: one more would only wait. */
export function runsAheadOf({ lanes }: LanePlan): number {
  return 2 * lanes
}

/** Of all weights, in float32. */
function floatBytes({ weights }: ModelFiles): number {
  let count = 0
  for (const { shape } of weights.values()) count += shape.reduce((a, b) => a * b, 1)
  return 4 * count
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
