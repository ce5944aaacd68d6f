import type { Graph } from '../graph/graph.js'
import { type DecidedRecipe, objectiveOf, type Stage } from '../recipes/recipe.js'
import type { Runtime } from '../runtime/runtime.js'
import type { ResolvedSettings } from '../settings/resolve.js'
import { layerDecay } from '../training/parameter-groups.js'
import { type LabelsPerPicture, labelsAskedFor } from '../training/stages/loss-parts.js'
import type { StageModels } from '../training/stages/stage-kind.js'
import { teachersName } from '../training/teacher.js'
import { type TrainingStep, trainingStep } from '../training/training-step.js'
import { builtFor, checkDrawn, graphKeyOf, type StageSettings, stageSettings } from './stage-settings.js'

/** The training step of a stage. @throws BlvitError `BAD_OPTION`, `SHAPE_MISMATCH` if the models can't do it */
function stepOf(stage: Stage, models: StageModels): TrainingStep {
  const objective = objectiveOf(stage)
  const { loss, reports, sizes } = objective.build(models, stage)
  const { weightDecay, clipNorm, emaDecay, accumulate, layerDecay: decay } = stage
  const frozen = {
    matches: (name: string) => name.startsWith(teachersName('')) || !objective.learns(name, models.student),
    frozen: true,
  }
  const groups = stage.parameters.map(({ match, ...treatment }) => {
    const pattern = new RegExp(match)
    return { matches: (name: string) => pattern.test(name), ...treatment }
  })
  const { facts } = models.student
  return trainingStep(stage.objective.replaceAll(' ', '_'), loss, {
    ...{ weightDecay, isDecayed: facts.isDecayed, accumulate, reports, sizes, groups: [frozen, ...groups] },
    ...(decay === undefined ? {} : { layerScale: layerDecay(facts, { decay }) }),
    ...(clipNorm === undefined ? {} : { clipNorm }),
    ...(emaDecay === undefined ? {} : { emaDecay }),
  })
}

/** What the engine runs for the steps of a stage that are built alike. */
export interface StageStep {
  readonly step: TrainingStep
  /** What runs for each batch: all of the step, or without the update where several batches make one. */
  readonly graph: Graph
}

/** A stage, and what the engine runs for it. */
export interface PlannedStage {
  readonly stage: Stage
  /** Counted from 1. */
  readonly number: number
  /** Undefined where the student doesn't run in it as it will later. */
  readonly settings: StageSettings | undefined
  /** What runs at some of its settings: one and the same for all that one graph serves. All have the same state. */
  readonly stepFor: (settings: ResolvedSettings | undefined) => StageStep
  /** How many labels a picture may have of which its loss is made; undefined: it is made of none. */
  readonly asksForLabels: LabelsPerPicture | undefined
}

/**
 * The steps of all stages, before the first of them takes its hours: whatever can't be trained is refused here.
 * @throws BlvitError `BAD_OPTION`, `SHAPE_MISMATCH`, `UNSUPPORTED` if these models can't do what the recipe says
 */
export function planStages(
  { stages }: DecidedRecipe,
  { student, teacher, runtime }: StageModels & { readonly runtime: Runtime },
): PlannedStage[] {
  return stages.map((stage, index) => {
    const taughtBy = objectiveOf(stage).needsTeacher(stage) ? teacher : undefined
    const settings = stageSettings(stage, student)
    const { target } = runtime
    if (settings) checkDrawn(settings, target)
    const steps = new Map<string, StageStep>()
    const stepFor = (at: ResolvedSettings | undefined): StageStep => {
      const key = at ? graphKeyOf(at, target) : ''
      const known = steps.get(key)
      if (known) return known
      const built = at ? builtFor(student, at, target) : student
      const step = stepOf(stage, { student: built, teacher: taughtBy })
      const made = { step, graph: step.accumulation?.graph ?? step.graph }
      steps.set(key, made)
      return made
    }
    const [first, ...others] = settings?.ends ?? []
    const { graph } = stepFor(first)
    others.forEach(stepFor)
    return { stage, number: index + 1, settings, stepFor, asksForLabels: labelsAskedFor(graph) }
  })
}
