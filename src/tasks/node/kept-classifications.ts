import { z } from 'zod'
import type { PictureInput } from '../../data/expand-inputs.js'
import type { StateKind } from '../../files/state-file.js'
import { type ScoreFunction, scoreFunctions } from '../../models/score-function.js'
import { classify, type ScoredLabel } from '../../problems/classify.js'
import type { ClassifyOptions, Model } from '../model.js'
import type { ManyOptions, PictureAnswer } from './answer-many.js'
import {
  type AnswersSoFar,
  answerSchema,
  type KeepOptions,
  keptAnswers,
  placesSchema,
} from './kept-answers.js'

const labelsSchema: z.ZodType<readonly ScoredLabel[]> = z.array(
  z.object({ index: z.int(), label: z.string(), probability: z.number() }),
)

/** How what was said of many pictures is kept. */
export const classificationKind: StateKind<
  PictureAnswer<readonly ScoredLabel[]>,
  { readonly places: number[]; readonly scores: ScoreFunction }
> = {
  name: 'classification',
  command: 'blvit classify',
  outcome: answerSchema(labelsSchema),
  report: placesSchema.extend({ scores: z.enum(scoreFunctions) }),
}

/** The answers of `classifyMany` with a file that keeps them. @throws BlvitError as `keptAnswers` */
export function keptClassifications(
  model: Model,
  pictures: readonly PictureInput[],
  options: ClassifyOptions & ManyOptions & KeepOptions,
): AsyncGenerator<AnswersSoFar<readonly ScoredLabel[]>> {
  return keptAnswers(model, classify, pictures, options, {
    kind: classificationKind,
    asked: { top: `${options.top ?? 'default'}` },
    report: { scores: model.scores },
  })
}
