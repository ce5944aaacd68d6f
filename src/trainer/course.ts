import type { RunIdentity } from '../base/run-identity.js'
import { Batches } from '../batches/batches.js'
import type { DataPosition } from '../batches/picture-stream.js'
import type { ModelFiles } from '../model-store/model-files.js'
import { stepsOf } from '../recipes/recipe.js'
import type { ChosenRuntime, TensorData } from '../runtime/runtime.js'
import { learned, StageSession } from '../stages/stage-session.js'
import { readFloats } from '../weights/read-floats.js'
import { storedFrom } from '../weights/stored-from.js'
import type { Participants } from './participants.js'
import type { PictureStage } from './picture-stage.js'
import { runStage } from './run-stage.js'
import type { StagePlace, StepReport, ValidationReport } from './step-report.js'
import type { TrainOptions } from './train-options.js'
import type { TrainingFolder } from './training-folder.js'
import type { LogRecord } from './training-log.js'
import { meanAccuracy, type Validation } from './validation.js'

export interface CourseOptions extends Omit<TrainOptions, 'validation' | 'dryRun'> {
  readonly data: readonly string[]
  readonly seed: number
  readonly stages: readonly PictureStage[]
  readonly participants: Participants
  readonly identity: RunIdentity
  readonly runtime: ChosenRuntime
  /** 10⁹ operations a second of matrix products alone on this machine. */
  readonly gemmRate: number | undefined
  /** Undefined: the model isn't measured on the way. */
  readonly validation: Validation | undefined
  /** Only so many steps of each stage, to measure them; undefined: all. */
  readonly trial: number | undefined
  /** Names of pictures of the data that aren't learned from. */
  readonly heldOut: readonly string[]
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
    const { stages, folder } = this.options
    const first = folder?.resumed?.stage ?? 1
    for (const planned of stages) if (planned.number >= first) await this.runStage(planned)
    return this.best !== null && folder ? folder.best(this.student) : this.student
  }

  private async runStage(planned: PictureStage): Promise<void> {
    const { data, stages, participants, runtime, folder, seed, threads, signal, trial } = this.options
    const { stage, number, asksForLabels: labelled, masks } = planned
    const { labels, preprocessing } = this.student
    const resume = folder?.resumed?.stage === number ? folder.resumed : undefined
    const teacher = participants.teacher?.files
    await using session = await StageSession.open(planned, {
      ...{ student: this.student, teacher, runtime: runtime.runtime, threads, resume },
    })
    const { batch, augmentation } = stage
    await using batches = new Batches({
      ...{ data, labels, preprocessing, seed, batch, augmentation, labelled, workers: this.options.workers },
      ...{ masks, without: this.options.heldOut },
      from: this.position,
    })
    const current = () => learned(this.student, session)
    const keep = this.keeper(number, session)
    const reached = {
      objective: stage.objective,
      stage: number,
      stages: stages.length,
      steps: stepsOf(stage),
    }
    if (resume) await this.validateIfDue({ ...reached, step: resume.steps }, current)
    else if (this.options.validateFirst && number === 1)
      await this.validateIfDue({ ...reached, step: 0 }, current)
    const last = await runStage({
      ...planned,
      ...{ stages: stages.length, seed, signal },
      ...{ session, batches, gemmRate: this.options.gemmRate, from: this.position },
      trial,
      isEnough: () => this.isEnough(number),
      beforeAbort: keep,
      afterStep: async (report, position) => {
        this.position = position
        await this.afterStep(report, { keep, current })
      },
    })
    if (last) this.reports.push(last)
    this.student = current()
    await folder?.draw()
  }

  /** Writes a checkpoint, unless the newest one is of the same step. */
  private keeper(number: number, session: StageSession) {
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
    { keep, current }: { keep: (position: DataPosition) => Promise<void>; current: () => ModelFiles },
  ): Promise<void> {
    const { folder, checkpointEvery = 100, onStep } = this.options
    onStep?.(report)
    if (folder === undefined) return
    await folder.log.append(stepRecord(report))
    try {
      await this.validateIfDue(report, current)
    } catch (thrown) {
      // Ctrl-C, for one: a run that goes on from here validates first
      await keep(this.position)
      throw thrown
    }
    if (report.step === report.steps || report.step % checkpointEvery === 0) await keep(this.position)
  }

  /** Whether the last validations of a stage were all no better than one before. It follows from the log, after a kill too. */
  private isEnough(stage: number): boolean {
    const { folder, patience } = this.options
    if (folder === undefined || patience === undefined) return false
    const accuracies = folder.log.validations
      .filter((record) => record.stage === stage)
      .map(({ validation }) => validation.reduce((sum, { right, of }) => sum + right / of, 0))
    const best = accuracies.indexOf(Math.max(...accuracies))
    return accuracies.length - 1 - best >= patience
  }

  /** Measures the model where it is time to, and no earlier run has done it. */
  private async validateIfDue(place: StagePlace, current: () => ModelFiles): Promise<void> {
    const { folder, validation, validateEvery = Math.ceil(place.steps / 10) } = this.options
    if (folder === undefined || validation === undefined) return
    const { stage, step, steps } = place
    const isDue = step === steps || step % validateEvery === 0
    const isDone = folder.log.validations.some((done) => done.stage === stage && done.step === step)
    if (isDue && !isDone) await this.validate(place, current(), { folder, validation })
  }

  private async validate(
    { objective, stage, stages, step, steps }: StagePlace,
    files: ModelFiles,
    { folder, validation }: { folder: TrainingFolder; validation: Validation },
  ): Promise<void> {
    const { results, failures } = await validation.measure(files, this.options)
    const accuracy = meanAccuracy(results)
    const best = this.best === null || accuracy > this.best
    if (best) {
      await folder.keepBest(files)
      this.best = accuracy
    }
    const record = results.map(({ setting, top1: { count, of } }) => ({ setting, right: count, of }))
    await folder.log.append({ stage, step, validation: record })
    await folder.draw()
    const told = { objective, stage, stages, step, steps, results, failures: failures.length, best }
    this.validations.push(told)
    this.options.onValidation?.(told)
  }
}

function stepRecord({ stage, step, losses, learningRate, setting, complaints }: StepReport): LogRecord {
  return {
    ...{ stage, step, ...losses, loss: Number(losses.loss), learning_rate: learningRate },
    ...(setting === undefined ? {} : { setting }),
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
