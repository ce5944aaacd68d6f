import type { ModelFiles } from '../model-store/model-files.js'
import { objectiveOf, type Stage } from '../recipes/recipe.js'
import type { Runtime } from '../runtime/runtime.js'
import { teachersName } from '../training/teacher.js'
import { TrainingSession } from '../training/training-session.js'
import type { TrainingStep } from '../training/training-step.js'
import { readFloats } from '../weights/read-floats.js'
import { storedFrom } from '../weights/stored-from.js'
import type { PlannedStage } from './stage-step.js'

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

export interface StageSessionOptions {
  readonly student: ModelFiles
  /** Whose weights the step reads too, if it does. */
  readonly teacher: ModelFiles | undefined
  readonly runtime: Runtime
  readonly threads: number | undefined
  /** What an earlier run of this stage ended with, and its steps. */
  readonly resume: { readonly state: ReadonlyMap<string, Float32Array>; readonly steps: number } | undefined
}

/** Loads a stage into the engine. @throws BlvitError `ENGINE` */
export async function openStage(
  { stage, step }: PlannedStage,
  { student, teacher, runtime, threads, resume }: StageSessionOptions,
): Promise<TrainingSession> {
  const taught = [...(teacher?.weights ?? [])].map(([name, tensor]) => [teachersName(name), tensor] as const)
  return TrainingSession.open(runtime, step, {
    start: resume?.state ?? (await startOf(step, stage, student)),
    steps: resume?.steps ?? 0,
    frozen: new Map([...student.weights, ...taught]),
    threads,
    sizes: { batch: stage.batch },
  })
}

/** The student with what a session has learned, its running mean if it keeps one. The memory is the session's. */
export function learned(student: ModelFiles, { state }: Pick<TrainingSession, 'state'>): ModelFiles {
  const weights = new Map(student.weights)
  for (const name of weights.keys()) {
    const tensor = state.get(`ema/${name}`) ?? state.get(name)
    if (tensor?.values instanceof Float32Array) weights.set(name, storedFrom(tensor.values, tensor.shape))
  }
  return { ...student, weights }
}
