import { type DecidedRecipe, stepsOf } from '../recipes/recipe.js'
import type { StepReport } from './step-report.js'

/** Steps of each stage of a dry run; the first is slow and not counted. */
export const trialSteps = 4

/** Batches a step at most: with two the engine holds what it holds with many, and 64 of them would take hours. */
const trialAccumulate = 2

/** The recipe as a dry run makes its steps: as large, but of fewer batches. */
export function trialOf(recipe: DecidedRecipe): DecidedRecipe {
  const stages = recipe.stages.map((stage) => ({
    ...stage,
    accumulate: Math.min(stage.accumulate, trialAccumulate),
  }))
  return { ...recipe, stages }
}

/** What a step of the recipe would tell, by a step of its trial. The update is counted too often, if at all. */
export function forecastOf(report: StepReport, recipe: DecidedRecipe): StepReport {
  const stage = recipe.stages[report.stage - 1]
  const tried = trialOf(recipe).stages[report.stage - 1]
  if (!stage || !tried) return report
  const steps = stepsOf(stage)
  const msPerStep = (report.msPerStep * stage.accumulate) / tried.accumulate
  return { ...report, steps, msPerStep, leftMs: (steps - report.step) * msPerStep }
}
