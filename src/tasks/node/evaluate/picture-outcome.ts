import { z } from 'zod'
import type { ScoreFunction } from '../../../models/score-function.js'
import { rankOf, scoresOf } from '../../../problems/classify.js'
import { stageSchema } from '../kept-answers.js'

const answerSchema = z.object({
  /** The class with the highest logit; of equal ones the lowest number. */
  predicted: z.int(),
  /** Its score: softmax over all classes unless the model's head is read in another way. */
  probability: z.number(),
  /** Place of the true class among all, 1 is the best, of several the best placed; absent without a label. */
  rank: z.int().optional(),
  /** Of every class; only of pictures that may have several labels. */
  scores: z.array(z.number()).optional(),
  /** Of a run in two stages, the one that answered. */
  stage: stageSchema,
})

/** What came of one picture: plain data, so that it survives a file unchanged. */
export const pictureOutcomeSchema = z.object({
  name: z.string(),
  label: z.int().optional(),
  /** All of its labels, perhaps none; only where a picture may have several. */
  labels: z.array(z.int()).optional(),
  /** One for each setting, in the order of the options; absent for a picture that failed. */
  answers: z.array(answerSchema).optional(),
  /** The teacher's answer. */
  teacher: answerSchema.optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
})

/** What a model says of a labelled picture. */
export type Answer = Readonly<z.infer<typeof answerSchema>>

/** What came of one picture. */
export type PictureOutcome = Readonly<z.infer<typeof pictureOutcomeSchema>>

/** What somebody says that a picture shows: one class, or several; undefined: nothing. */
export type Truth = Pick<PictureOutcome, 'label' | 'labels'>

/** @param logits of one picture, `[classes]`; the engine has made sure that they are numbers */
export function answerOf(
  logits: Float32Array,
  { label, labels }: Truth,
  { scores = 'softmax' }: { scores?: ScoreFunction } = {},
): Answer {
  const predicted = logits.reduce(
    (best, score, index) => (score > (logits[best] ?? Number.NaN) ? index : best),
    0,
  )
  const all = scoresOf(logits, scores)
  const ranks = [label ?? [], labels ?? []].flat().map((own) => rankOf(logits, own))
  return {
    predicted,
    probability: all[predicted] ?? Number.NaN,
    ...(ranks.length > 0 && { rank: Math.min(...ranks) }),
    ...(labels && { scores: all }),
  }
}
