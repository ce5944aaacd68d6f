import { preparedAhead, preparedBatches } from '../base/ahead.js'
import { defined } from '../base/assert.js'
import { BlvitError, throwIfAborted } from '../base/blvit-error.js'
import { checkOptions, type OptionKeys } from '../base/check-options.js'
import type { CallOptions, DispatchedRun } from '../engine/dispatcher.js'
import type { EngineRunOptions } from '../engine/engine.js'
import type { Asked } from '../engine/engine-forms.js'
import { outputRows } from '../engine/rows.js'
import type { ImageInput } from '../image/image-input.js'
import { type PrepareOptions, prepareKeys } from '../image/prepare.js'
import type { AnswerContext, Problem } from '../problems/problem.js'
import { onlyClassification, type StagedSettings } from '../settings/resolve.js'
import { type Settings, settingKeys } from '../settings/settings.js'
import type { ModelPictures } from './model-pictures.js'
import { batchesAhead, type ModelRuns, runsAheadOf } from './model-runs.js'
import { asksForObjects, type ObjectFinder, type RunTogether } from './object-finder.js'
import { traceProgram } from './trace/trace.js'
import { type Answered, inTwoStages, type StageAnswers } from './two-stages.js'

/** How pictures are prepared and run, whatever is asked of them. */
export interface RunOptions extends EngineRunOptions, PrepareOptions {}

/** Its keys: what every problem takes beside its own. */
export const runKeys: OptionKeys<RunOptions> = { seed: true, ...settingKeys, ...prepareKeys }

/** How a call shares runs with others. `shares`: its pictures may go into one with those of other calls */
type SharedCall = CallOptions & { readonly shares?: boolean }

export interface ModelAnswersOptions {
  readonly runs: ModelRuns
  readonly pictures: ModelPictures
  readonly objects: ObjectFinder
  /** What problems make their answers with. */
  readonly context: AnswerContext
  /** What all settings of a run, the model's own included, decide. */
  readonly resolve: (settings: Settings) => StagedSettings
}

/** Has a model answer problems: which runs a question takes, in one stage or two, and what comes of their outputs. */
export class ModelAnswers {
  constructor(private readonly options: ModelAnswersOptions) {}

  /** Loads what a problem needs for so many pictures. */
  async warmUp(problem: Asked, { pictures }: { readonly pictures: number }): Promise<void> {
    const { runs, pictures: prepared } = this.options
    await Promise.all([runs.open(problem, { pictures }), prepared.warmUp()])
  }

  /** @throws BlvitError `BAD_OPTION` for options that make no sense with this model, before anything runs */
  check<Answer, Options extends object>(
    problem: Problem<Answer, Options>,
    options: Options & Settings,
  ): void {
    const { context, objects, resolve } = this.options
    const { name, optionKeys } = problem
    if (optionKeys) checkOptions(`option of ${name}`, options, { ...optionKeys, ...runKeys })
    problem.check?.(options, context)
    const resolved = resolve(options)
    if (resolved.first && (!problem.isSure || context.scores === 'none' || asksForObjects(resolved)))
      throw onlyClassification(resolved.key)
    objects.assertAnswers(resolved)
  }

  /** Of prepared pictures, in one run where one can take them. */
  async ofPrepared<Answer, Options extends object>(
    problem: Problem<Answer, Options>,
    pictures: readonly Float32Array[],
    options: Options & EngineRunOptions,
    call: SharedCall,
  ): Promise<Answered<Answer>[]> {
    const { first, values } = this.options.resolve(options)
    if (!first) return [...(await this.inOneStage(problem, pictures, options, call)).answers]
    const { image, channels } = first.resolved.architecture
    return inTwoStages(pictures, channels * image.height * image.width, {
      first: (small) =>
        this.inOneStage(problem, small, { ...options, ...first.resolved.values }, { ...call, ...first }),
      second: (whole) => this.inOneStage(problem, whole, { ...options, ...values }, call),
    })
  }

  /** @param call `sureFrom`: tells which answers are less probable */
  private async inOneStage<Answer, Options extends object>(
    problem: Problem<Answer, Options>,
    pictures: readonly Float32Array[],
    options: Options & EngineRunOptions,
    { sureFrom, ...call }: SharedCall & { readonly sureFrom?: number },
  ): Promise<StageAnswers<Answer>> {
    const { runs, objects: finder, context, resolve } = this.options
    const answers = new Map<number, Answered<Answer>>()
    const unsure: number[] = []
    const answerSome = async ({ places, objects }: RunTogether) => {
      const some = places.map((place) => defined(pictures[place], 'a picture'))
      const { outputs, elapsedMs } = await runs.run(problem, some, { ...options, objects }, call)
      places.forEach((place, row) => {
        const rows = outputRows(outputs, row)
        const answer = problem.answer(rows, context, options)
        answers.set(place, { answer, elapsedMs: elapsedMs / some.length })
        if (sureFrom !== undefined && !problem.isSure?.(rows, context, sureFrom)) unsure.push(place)
      })
    }
    await Promise.all(finder.groups(pictures, resolve(options)).map(answerSome))
    return { answers: pictures.map((_, place) => defined(answers.get(place), 'an answer')), unsure }
  }

  /** Of pictures that are prepared ahead of the engine, in their order. */
  async of<Answer, Options extends object>(
    problem: Problem<Answer, Options>,
    images: readonly ImageInput[],
    options: Options & RunOptions,
  ): Promise<Answered<Answer>[]> {
    if (typeof problem?.answer !== 'function') {
      const advice = 'Give one of `problems`, e.g. model.answer(problems.classify, ["photo.jpg"], {}).'
      throw new BlvitError('BAD_OPTION', `${problem} is no problem. ${advice}`)
    }
    this.check(problem, options)
    const { runs, pictures } = this.options
    runs.assertUsable()
    const batch = runs.batchFor(images.length, options)
    const runsAhead = runsAheadOf(runs.planFor(images.length))
    const call = { caller: {}, signal: options.signal, shares: images.length === 1 }
    const prepare = (image: ImageInput) => pictures.prepare(image, options)
    const answerThese = (prepared: Float32Array[]) => this.ofPrepared(problem, prepared, options, call)
    return runs.admitted(Math.min(images.length, batch * (runsAhead + batchesAhead)), async () => {
      // The engine loads while the first pictures are decoded; if it can't, their run says why.
      this.warmUp(problem, { pictures: images.length }).catch(() => {})
      const answers: Answered<Answer>[] = []
      const batches = preparedBatches(images, prepare, { batch, ahead: batchesAhead })
      for await (const some of preparedAhead(batches, answerThese, { ahead: runsAhead })) {
        throwIfAborted(options.signal)
        answers.push(...some)
      }
      return answers
    })
  }

  /** The outputs that tell the ways of a prepared picture's tokens. */
  traced(picture: Float32Array, options: EngineRunOptions): Promise<DispatchedRun> {
    const { runs, objects, resolve } = this.options
    const [group] = objects.groups([picture], resolve(options))
    return runs.run(traceProgram, [picture], { ...options, objects: group?.objects })
  }
}
