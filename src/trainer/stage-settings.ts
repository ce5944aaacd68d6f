import { BlvitError } from '../base/blvit-error.js'
import type { Target } from '../graph/lowering.js'
import type { Architecture } from '../models/architecture.js'
import { objectiveOf, type Stage } from '../recipes/recipe.js'
import { mergedBuild, type ResolvedSettings, resolveSettings, type Settings } from '../settings/index.js'
import type { StepPlace } from '../training/settings-plan.js'

/** The settings of a stage, decided for its student. */
export interface StageSettings {
  /** Those of a step. */
  at(place: StepPlace): ResolvedSettings
  /** All that it comes to; where it goes from one to another, the two ends. */
  readonly ends: readonly ResolvedSettings[]
}

/** One recipe trains a student that routes and, as its baseline, one that treats all tokens alike. */
function applicable({ keepRatio, ...others }: Settings, { settings }: Architecture): Settings {
  return settings.keepRatio === undefined || keepRatio === undefined ? others : { ...others, keepRatio }
}

/**
 * @returns undefined where the student doesn't run in this stage as it will later
 * @throws BlvitError `BAD_OPTION` for a setting that the student can't take
 */
export function stageSettings(stage: Stage, student: Architecture): StageSettings | undefined {
  const plan = objectiveOf(stage).settings?.(stage)
  if (!plan) return undefined
  const decided = (settings: Settings) => resolveSettings(student, applicable(settings, student))
  return { at: (place) => decided(plan.at(place)), ends: plan.ends.map(decided) }
}

/**
 * The student as one graph of a stage can be made of it: built as its settings say, and on WebGPU with sizes that are
 * decided when a graph is loaded.
 * @throws BlvitError `BAD_OPTION` if the stage would need several graphs
 */
export function builtFor(
  student: Architecture,
  { ends: [first, ...others] }: StageSettings,
  target: Target,
): Architecture {
  if (!first) return student
  const isOneGraph = ({ key, buildKey }: ResolvedSettings) =>
    buildKey === first.buildKey && (target !== 'webgpu' || key === first.key)
  const other = others.find((end) => !isOneGraph(end))
  if (other) {
    const device = target === 'webgpu' ? ' on WebGPU, where sizes are decided when a graph is loaded,' : ''
    throw new BlvitError(
      'BAD_OPTION',
      `A stage is one graph,${device} but this one would be trained at ${first.key} and at ${other.key}. Give it one ` +
        `setting in the recipe${target === 'webgpu' ? ', or train with --device cpu' : ''}.`,
      { settings: [first.key, other.key] },
    )
  }
  const sizes = target === 'webgpu' ? first.sizes : {}
  return {
    ...student,
    build: (options) =>
      student.build({
        ...mergedBuild(first.build, options ?? {}),
        sizes: { ...first.build.sizes, ...sizes, ...options?.sizes },
      }),
  }
}
