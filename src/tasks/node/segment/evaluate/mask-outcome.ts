import { z } from 'zod'
import type { StateKind } from '../../../../files/state-file.js'

/** What objects are asked by: one point, three, or their box. */
export const promptKinds = ['point', 'points', 'box'] as const

export type PromptKind = (typeof promptKinds)[number]

/** What came out for one object and one kind of prompt. */
const answerSchema = z.object({
  annotation: z.int(),
  prompt: z.enum(promptKinds),
  /** Of the mask that the model thinks best. */
  iou: z.number(),
  /** Of the best mask that it gave. */
  oracle: z.number(),
  /** That mask as compressed run lengths, for average precision; of boxes only. */
  counts: z.string().optional(),
})

const outcomeSchema = z.union([
  z.object({ image: z.int(), answers: z.array(answerSchema) }),
  z.object({ image: z.int(), error: z.object({ code: z.string(), message: z.string() }) }),
])

export type ObjectAnswer = z.output<typeof answerSchema>

/** What came out for one picture. */
export type MaskOutcome = z.output<typeof outcomeSchema>

/** How an evaluation of masks is kept. */
export const maskEvaluationKind: StateKind<MaskOutcome> = {
  name: 'mask evaluation',
  command: 'blvit eval --task segment',
  outcome: outcomeSchema,
  report: z.unknown(),
}
