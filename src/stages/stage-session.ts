import { assert } from '../base/assert.js'
import type { ModelFiles } from '../model-store/model-files.js'
import { objectiveOf, type Stage, stepsOf } from '../recipes/recipe.js'
import type { NamedTensors, Runtime } from '../runtime/runtime.js'
import type { ResolvedSettings } from '../settings/resolve.js'
import { teachersName } from '../training/teacher.js'
import { TrainingSession } from '../training/training-session.js'
import type { TrainingStep } from '../training/training-step.js'
import { readFloats } from '../weights/read-floats.js'
import { storedFrom } from '../weights/stored-from.js'
import type { PlannedStage, StageStep } from './stage-step.js'
import { feedOf, type StageBatch, type StepDraw, type StepFeed } from './step-feed.js'

/** The numbers of a state, which is float32 all through. The memory stays the session's. */
function floatsOf(state: TrainingSession['state']): ReadonlyMap<string, Float32Array> {
  return new Map(
    [...state].map(([name, { values }]) => {
      assert(values instanceof Float32Array, `float32 for ${name}`)
      return [name, values]
    }),
  )
}

/** What learns begins as the student has it, but for what the stage takes from elsewhere. */
async function startOf(step: TrainingStep, stage: Stage, { architecture, weights }: ModelFiles) {
  const { startsAs } = objectiveOf(stage)
  const start = new Map<string, Float32Array>()
  for (const { startsAs: name } of step.state) {
    const tensor = name === undefined ? undefined : weights.get(startsAs?.(name, architecture) ?? name)
    if (name !== undefined && tensor && !start.has(name)) start.set(name, await readFloats(tensor))
  }
  return start
}

/** Where a session begins. */
interface StageState {
  readonly state: ReadonlyMap<string, Float32Array>
  readonly steps: number
}

export interface StageSessionOptions {
  readonly student: ModelFiles
  /** Whose weights the step reads too, if it does. */
  readonly teacher: ModelFiles | undefined
  readonly runtime: Runtime
  readonly threads: number | undefined
  /** What an earlier run of this stage ended with, and its steps. */
  readonly resume: StageState | undefined
}

/** A stage in the engine: the graph that its settings ask for, and the state, which goes from one graph to the next. */
export class StageSession implements AsyncDisposable {
  private constructor(
    private readonly load: (step: StageStep, from: StageState) => Promise<TrainingSession>,
    private readonly planned: PlannedStage,
    private current: { readonly made: StageStep; readonly feed: StepFeed; readonly session: TrainingSession },
  ) {}

  /** Loads the graph that goes on where an earlier run ended. @throws BlvitError `ENGINE` */
  static async open(
    planned: PlannedStage,
    { student, teacher, runtime, threads, resume }: StageSessionOptions,
  ): Promise<StageSession> {
    const { stage, settings } = planned
    const taught = [...(teacher?.weights ?? [])].map(
      ([name, tensor]) => [teachersName(name), tensor] as const,
    )
    const options = {
      ...{ frozen: new Map([...student.weights, ...taught]), threads, sizes: { batch: stage.batch } },
    }
    const load = ({ step }: StageStep, { state, steps }: StageState) =>
      TrainingSession.open(runtime, step, { start: state, steps, ...options })
    const steps = resume?.steps ?? 0
    const made = planned.stepFor(settings?.at({ step: steps, steps: stepsOf(stage), draw: 0 }))
    const state = resume?.state ?? (await startOf(made.step, stage, student))
    const session = await load(made, { state, steps })
    return new StageSession(load, planned, { made, feed: feedOf(planned, made), session })
  }

  /** See {@link TrainingSession.steps}. */
  get steps(): number {
    return this.current.session.steps
  }

  /** See {@link TrainingSession.state}. */
  get state(): TrainingSession['state'] {
    return this.current.session.state
  }

  /** Takes care that the next step runs at these settings. @throws BlvitError `ENGINE` */
  async moveTo(settings: ResolvedSettings | undefined): Promise<void> {
    const made = this.planned.stepFor(settings)
    const { session } = this.current
    if (made === this.current.made) return
    const next = await this.load(made, { state: floatsOf(session.state), steps: session.steps })
    this.current = { made, feed: feedOf(this.planned, made), session: next }
    await session.dispose()
  }

  /** Takes a batch; see {@link TrainingSession.run}. */
  run(batch: StageBatch, draw: StepDraw, options: { learningRate: number }): Promise<NamedTensors> {
    const { feed, session } = this.current
    return session.run(feed(batch, draw), options)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.current.session.dispose()
  }
}

/** The student with what a session has learned, its running mean if it keeps one. The memory is the session's. */
export function learned(student: ModelFiles, { state }: Pick<StageSession, 'state'>): ModelFiles {
  const weights = new Map(student.weights)
  for (const name of weights.keys()) {
    const tensor = state.get(`ema/${name}`) ?? state.get(name)
    if (tensor?.values instanceof Float32Array) weights.set(name, storedFrom(tensor.values, tensor.shape))
  }
  return { ...student, weights }
}
