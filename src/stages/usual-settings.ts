import type { Architecture } from '../models/architecture.js'
import { spreadOf } from '../settings/resolve.js'
import type { Settings } from '../settings/settings.js'
import type { PlannedStage } from './stage-step.js'

/** What a model in training is measured at where nobody says: all over its own number, or what the last stage is for. */
export function usualSettings(student: Architecture, stages: readonly PlannedStage[]): readonly Settings[] {
  // one that is made for a reduction learns at that, and isn't for others
  const spread = student.takesHooks ? [] : spreadOf(student)
  if (spread.length > 0) return spread
  return stages.at(-1)?.settings?.goals.map(({ values }) => values) ?? [{}]
}
