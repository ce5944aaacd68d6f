import type { EvaluationTask } from './evaluation.js'
import { segmentEvaluation } from './segment.js'

/** What `blvit eval --task` takes beside labels. Adding one is its file and a line here. */
export const evaluationTasks = {
  segment: segmentEvaluation,
} satisfies Readonly<Record<string, EvaluationTask>>
