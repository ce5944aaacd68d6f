import { z } from 'zod'
import type { StateKind } from '../../../files/state-file.js'
import type { Settings } from '../../../settings/settings.js'
import { placesSchema } from '../kept-answers.js'
import { type PictureOutcome, pictureOutcomeSchema } from './picture-outcome.js'

const reportSchema = placesSchema.extend({
  /** What was evaluated, as the caller called it. */
  model: z.string(),
  data: z.array(z.string()),
  teacher: z.string().optional(),
  /** What the teacher answers at, as people read it. */
  teacherSetting: z.string().optional(),
  settings: z.array(z.object({ setting: z.string(), values: z.custom<Settings>() })),
  /** Of the model, in class order. */
  labels: z.array(z.string()),
  labelRule: z.string().optional(),
  notes: z.array(z.string()),
  timing: z.object({ pictures: z.int(), elapsedMs: z.number(), engineMs: z.number() }),
})

/** What a finished evaluation says beside the outcomes: with them all that a report is made of. */
export type EvaluationReport = z.infer<typeof reportSchema>

/** How an evaluation is kept. */
export const evaluationKind: StateKind<PictureOutcome, EvaluationReport> = {
  name: 'evaluation',
  command: 'blvit eval',
  outcome: pictureOutcomeSchema,
  report: reportSchema,
}
