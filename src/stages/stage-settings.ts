import { BlvitError } from '../base/blvit-error.js'
import type { Target } from '../graph/lowering.js'
import type { Architecture } from '../models/architecture.js'
import { trainingHooks } from '../models/block-loop.js'
import { objectiveOf, type Stage } from '../recipes/recipe.js'
import { mergedBuild, type ResolvedSettings, resolveSettings } from '../settings/resolve.js'
import type { Settings } from '../settings/settings.js'
import type { StepPlace } from '../training/settings-plan.js'

/** The settings of a stage, decided for its student. */
export interface StageSettings {
  /** Those of a step. */
  at(place: StepPlace): ResolvedSettings
  /** All that it comes to; of one that goes from one to another the two ends. */
  readonly ends: readonly ResolvedSettings[]
  /** What any step may draw, where nothing is on its way yet. */
  readonly drawn: readonly ResolvedSettings[]
  /** What the student is good for after the stage. */
  readonly goals: readonly ResolvedSettings[]
}

/**
 * @returns undefined where the student doesn't run in this stage as it will later
 * @throws BlvitError `BAD_OPTION` for a setting that the student can't take, or a way between two that there isn't
 */
export function stageSettings(stage: Stage, student: Architecture): StageSettings | undefined {
  const plan = objectiveOf(stage).settings?.(stage, student)
  if (!plan) return undefined
  const decided = (settings: Settings) => resolveSettings(student, settings)
  plan.at({ step: 0, steps: 1, draw: 0 })
  return {
    at: (place) => decided(plan.at(place)),
    ends: plan.ends.map(decided),
    drawn: plan.drawn.map(decided),
    goals: plan.goals.map(decided),
  }
}

/** Equal for settings that one graph of a stage serves: on WebGPU sizes are decided when a graph is loaded. */
export function graphKeyOf({ buildKey, sizes }: ResolvedSettings, target: Target): string {
  const fixed = target === 'webgpu' ? Object.entries(sizes).map(([name, size]) => `${name}=${size}`) : []
  return [buildKey, ...fixed].join(' ')
}

/**
 * A graph is loaded when a stage comes to it, which takes seconds: on a way from one setting to another now and then, but
 * not for each step.
 * @throws BlvitError `BAD_OPTION` if steps would draw one of several graphs
 */
export function checkDrawn({ drawn: [first, ...others] }: StageSettings, target: Target): void {
  if (!first) return
  const key = graphKeyOf(first, target)
  const other = others.find((one) => graphKeyOf(one, target) !== key)
  if (!other) return
  const device = target === 'webgpu' ? ' on WebGPU, where sizes are decided when a graph is loaded,' : ''
  throw new BlvitError(
    'BAD_OPTION',
    `Steps that draw one of several settings share a graph,${device} but ${first.key} and ${other.key} are two. Give the ` +
      `stage one setting, or a way from one to another${target === 'webgpu' ? ', or train with --device cpu' : ''}.`,
    { settings: [first.key, other.key] },
  )
}

/**
 * The student as a stage's graph at some settings is made of it: built as they say, by hooks as they are while a model
 * learns, and on WebGPU with sizes that are decided when a graph is loaded.
 */
export function builtFor(student: Architecture, settings: ResolvedSettings, target: Target): Architecture {
  const sizes = target === 'webgpu' ? settings.sizes : {}
  return {
    ...student,
    build: (options) => {
      const { hooks, ...build } = mergedBuild(settings.build, options ?? {})
      return student.build({
        ...build,
        ...(hooks && { hooks: trainingHooks(hooks) }),
        sizes: { ...settings.build.sizes, ...sizes, ...options?.sizes },
      })
    },
  }
}
