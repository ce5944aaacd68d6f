import { BlvitError } from '../../errors/blvit-error.js'
import type { Graph } from '../../graph/graph.js'
import type { Architecture } from '../../models/architecture.js'
import { objectiveOf, type Stage } from '../../recipes/recipe.js'
import type { Runtime } from '../../runtime/runtime.js'
import { layerDecay } from '../../training/parameter-groups.js'
import { teachersName } from '../../training/teacher.js'
import { TrainingSession } from '../../training/training-session.js'
import { type TrainingStep, trainingStep } from '../../training/training-step.js'
import { readFloats } from '../../weights/read-floats.js'
import { storedFrom } from '../../weights/stored-from.js'
import type { StoredTensors } from '../../weights/stored-tensor.js'
import { keptPatches } from '../keep-ratio.js'
import type { ModelFiles } from '../model-folder/model-files.js'

/** The training step of a stage. @throws BlvitError `BAD_OPTION`, `SHAPE_MISMATCH` if the models can't do it */
function stepOf(
  stage: Stage,
  models: { readonly student: Architecture; readonly teacher: Architecture | undefined },
): TrainingStep {
  const objective = objectiveOf(stage)
  const { loss, reports, sizes } = objective.build(models, stage)
  const { weightDecay, clipNorm, emaDecay, accumulate, layerDecay: decay } = stage
  const frozen = {
    matches: (name: string) => name.startsWith(teachersName('')) || !objective.learns(name),
    frozen: true,
  }
  const groups = stage.parameters.map(({ match, ...treatment }) => {
    const pattern = new RegExp(match)
    return { matches: (name: string) => pattern.test(name), ...treatment }
  })
  const { depth, predictor_after: predictorAfter } = models.student.json
  const layers =
    decay === undefined
      ? []
      : layerDecay({ decay, depth: Number(depth), predictorAfter: (predictorAfter ?? []) as number[] })
  return trainingStep(stage.objective.replaceAll(' ', '_'), loss, {
    ...{ weightDecay, accumulate, reports, sizes, groups: [frozen, ...groups, ...layers] },
    ...(clipNorm === undefined ? {} : { clipNorm }),
    ...(emaDecay === undefined ? {} : { emaDecay }),
  })
}

/** What learns begins as the student has it, but for what the stage takes from elsewhere. */
async function startOf(step: TrainingStep, stage: Stage, weights: StoredTensors) {
  const { startsAs } = objectiveOf(stage)
  const start = new Map<string, Float32Array>()
  for (const { startsAs: name } of step.state) {
    const tensor = name === undefined ? undefined : weights.get(startsAs?.(name) ?? name)
    if (name !== undefined && tensor && !start.has(name)) start.set(name, await readFloats(tensor))
  }
  return start
}

/**
 * The student as a graph of this engine can be made of it: on WebGPU sizes are decided when a graph is loaded.
 * @throws BlvitError `BAD_OPTION` if a stage comes to several keep ratios there
 */
export function loadableIn({ target }: Runtime, student: Architecture, { keepRatio }: Stage): Architecture {
  if (target !== 'webgpu' || student.keepRatio === undefined) return student
  if (typeof keepRatio === 'object') {
    throw new BlvitError(
      'BAD_OPTION',
      `On WebGPU a stage has one keep ratio, because sizes are decided when its graph is loaded; this one has ` +
        `${JSON.stringify(keepRatio)}. Give it one number in the recipe, or train with --device cpu.`,
      { keepRatio },
    )
  }
  const kept = keptPatches(student, keepRatio)
  return {
    ...student,
    build: (options) => student.build({ ...(kept === undefined ? {} : { kept }), ...options }),
  }
}

export interface StageSessionOptions {
  readonly student: ModelFiles
  readonly teacher: ModelFiles | undefined
  readonly runtime: Runtime
  readonly threads: number | undefined
  /** What an earlier run of this stage ended with, and its steps. */
  readonly resume: { readonly state: ReadonlyMap<string, Float32Array>; readonly steps: number } | undefined
}

/** A stage in the engine. */
export interface StageSession {
  readonly session: TrainingSession
  /** What runs for each batch. */
  readonly graph: Graph
}

/** Loads a stage into the engine. @throws BlvitError `BAD_OPTION`, `SHAPE_MISMATCH`, `ENGINE` */
export async function openStage(
  stage: Stage,
  { student, teacher, runtime, threads, resume }: StageSessionOptions,
): Promise<StageSession> {
  const architecture = loadableIn(runtime, student.architecture, stage)
  const step = stepOf(stage, { student: architecture, teacher: teacher?.architecture })
  const taught = [...(teacher?.weights ?? [])].map(([name, tensor]) => [teachersName(name), tensor] as const)
  const session = await TrainingSession.open(runtime, step, {
    start: resume?.state ?? (await startOf(step, stage, student.weights)),
    steps: resume?.steps ?? 0,
    frozen: new Map([...student.weights, ...taught]),
    threads,
    sizes: { batch: stage.batch },
  })
  return { session, graph: step.accumulation?.graph ?? step.graph }
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
