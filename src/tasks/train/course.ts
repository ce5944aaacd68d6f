import { type DecidedRecipe, objectiveOf, type Stage, stepsOf } from '../../recipes/recipe.js'
import type { ChosenRuntime } from '../../runtime/choose.js'
import type { TensorData } from '../../runtime/runtime.js'
import { targetsInput } from '../../training/stages/loss-parts.js'
import { readFloats } from '../../weights/read-floats.js'
import { storedFrom } from '../../weights/stored-from.js'
import type { ModelFiles } from '../model-folder/model-files.js'
import { Batches } from './batches.js'
import type { Participants } from './participants.js'
import type { DataPosition } from './picture-stream.js'
import { runStage } from './run-stage.js'
import { learned, openStage } from './stage-session.js'
import type { StepReport, ValidationReport } from './step-report.js'
import type { TrainOptions } from './train.js'
import type { TrainingIdentity } from './training-checkpoint.js'
import type { TrainingFolder } from './training-folder.js'
import type { LogRecord } from './training-log.js'
import { meanAccuracy, validate } from './validation.js'

// Of a dry run; the first is slow and not counted.
const trialSteps = 4

export interface CourseOptions extends TrainOptions {
  readonly data: readonly string[]
  readonly seed: number
  readonly recipe: DecidedRecipe
  readonly participants: Participants
  readonly identity: TrainingIdentity
  readonly runtime: ChosenRuntime
  /** 10⁹ operations a second of matrix products alone on this machine. */
  readonly gemmRate: number | undefined
  /** Undefined: nothing is kept. */
  readonly folder: TrainingFolder | undefined
}

/** A training under way: takes the student through the stages, and keeps what it takes to go on after a kill. */
export class Course {
  /** The last report of each stage. */
  readonly reports: StepReport[] = []
  readonly validations: ValidationReport[] = []
  private position: DataPosition
  private best: number | null
  private student: ModelFiles

  constructor(private readonly options: CourseOptions) {
    const { participants, folder } = options
    const resumed = folder?.resumed
    this.position = resumed?.position ?? { epoch: 0, index: 0 }
    this.best = resumed?.best ?? null
    this.student = resumed ? withState(participants.student, resumed.state) : participants.student
  }

  /** @returns the student after all stages, with its best weights if it was validated */
  async run(): Promise<ModelFiles> {
    const { recipe, folder } = this.options
    const first = folder?.resumed?.stage ?? 1
    for (const [index, stage] of recipe.stages.entries()) {
      if (index + 1 >= first) await this.runStage(stage, index + 1)
    }
    return this.best !== null && folder ? folder.best(this.student) : this.student
  }

  private async runStage(stage: Stage, number: number): Promise<void> {
    const { data, recipe, participants, runtime, folder, seed, threads, signal, dryRun } = this.options
    const { labels, preprocessing, architecture } = this.student
    const resume = folder?.resumed?.stage === number ? folder.resumed : undefined
    const teacher = objectiveOf(stage).needsTeacher(stage) ? participants.teacher?.files : undefined
    const { session, graph } = await openStage(stage, {
      ...{ student: this.student, teacher, runtime: runtime.runtime, threads, resume },
    })
    await using _ = session
    const { batch, augmentation } = stage
    const labelled = graph.inputs.some(({ leaf }) => leaf?.kind === 'input' && leaf.name === targetsInput)
    await using batches = new Batches({
      ...{ data, labels, preprocessing, seed, batch, augmentation, labelled, workers: this.options.workers },
      from: this.position,
    })
    const keeper = this.keeper(number, session)
    const last = await runStage({
      ...{ stage, number, stages: recipe.stages.length, student: architecture, seed, signal },
      ...{ session, graph, batches, gemmRate: this.options.gemmRate, from: this.position },
      trial: dryRun ? trialSteps : undefined,
      beforeAbort: keeper,
      afterStep: async (report, position) => {
        this.position = position
        await this.afterStep(report, { stage, keep: keeper, current: () => learned(this.student, session) })
      },
    })
    if (last) this.reports.push(last)
    this.student = learned(this.student, session)
    await folder?.draw()
  }

  /** Writes a checkpoint, unless the newest one is of the same step. */
  private keeper(number: number, session: Awaited<ReturnType<typeof openStage>>['session']) {
    const { folder, participants, identity } = this.options
    let kept = session.steps
    return async (position: DataPosition): Promise<void> => {
      if (folder === undefined || kept === session.steps) return
      const carried = await stateOf(this.student, participants.student)
      const state = new Map([...carried, ...session.state])
      const { steps } = session
      await folder.checkpoints.write({ state, stage: number, steps, best: this.best, position, identity })
      kept = steps
    }
  }

  private async afterStep(
    report: StepReport,
    {
      stage,
      keep,
      current,
    }: { stage: Stage; keep: (position: DataPosition) => Promise<void>; current: () => ModelFiles },
  ): Promise<void> {
    const { folder, validation, checkpointEvery = 100, onStep } = this.options
    onStep?.(report)
    if (folder === undefined) return
    const steps = stepsOf(stage)
    const { validateEvery = Math.ceil(steps / 10) } = this.options
    const isLast = report.step === steps
    await folder.log.append(stepRecord(report))
    if (validation && (isLast || report.step % validateEvery === 0))
      await this.validate(report, current(), folder)
    if (isLast || report.step % checkpointEvery === 0) await keep(this.position)
  }

  private async validate(report: StepReport, files: ModelFiles, folder: TrainingFolder): Promise<void> {
    const { validation: data = [], validationLimit: limit, threads, signal, runtime } = this.options
    const { validationRatios: keepRatios = [0.25, 0.5, 0.75, 1] } = this.options
    const results = await validate(files, { data, limit, keepRatios, runtime, threads, signal })
    const accuracy = meanAccuracy(results)
    const best = this.best === null || accuracy > this.best
    if (best) {
      await folder.keepBest(files)
      this.best = accuracy
    }
    const { objective, stage, stages, step, steps } = report
    const validation = results.map(({ keepRatio, top1 }) => ({
      keep_ratio: keepRatio ?? null,
      top1: top1.share,
    }))
    await folder.log.append({ stage, step, validation })
    await folder.draw()
    const told = { objective, stage, stages, step, steps, results, best }
    this.validations.push(told)
    this.options.onValidation?.(told)
  }
}

function stepRecord({ stage, step, losses, learningRate, keepRatio, complaints }: StepReport): LogRecord {
  return {
    ...{ stage, step, ...losses, loss: Number(losses.loss), learning_rate: learningRate },
    ...(keepRatio === undefined ? {} : { keep_ratio: keepRatio }),
    ...(complaints.length > 0 ? { complaints } : {}),
  }
}

function withState(files: ModelFiles, state: ReadonlyMap<string, Float32Array>): ModelFiles {
  const weights = new Map(files.weights)
  for (const [name, { shape }] of files.weights) {
    const values = state.get(name)
    if (values) weights.set(name, storedFrom(values, shape))
  }
  return { ...files, weights }
}

/** What a student has learned since it was made. */
async function stateOf(student: ModelFiles, untaught: ModelFiles): Promise<Map<string, TensorData>> {
  const state = new Map<string, TensorData>()
  for (const [name, tensor] of student.weights) {
    if (tensor === untaught.weights.get(name)) continue
    state.set(name, { dtype: 'float32', shape: tensor.shape, values: await readFloats(tensor) })
  }
  return state
}
