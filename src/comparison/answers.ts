import { z } from 'zod'
import { BlvitError } from '../base/blvit-error.js'
import { type Share, shareOf } from '../base/share.js'
import type { DataSet } from '../data/data-set.js'
import type { Settings } from '../settings/settings.js'
import type { Model } from '../tasks/model.js'
import { type EvaluationProgress, evaluate } from '../tasks/node/evaluate/evaluate.js'

const share = z.object({
  count: z.int(),
  of: z.int(),
  share: z.number().or(z.nan()),
  low: z.number(),
  high: z.number(),
})

/** What a row said of the pictures. */
export const answersSchema = z.object({
  pictures: z.int(),
  /** Pictures that couldn't be used. */
  failed: z.int(),
  labelled: z.int(),
  top1: share,
  top5: share.optional(),
  /** The first class of each picture in the order of the data; −1 of one that failed. */
  predicted: z.array(z.int()),
})

export type RowAnswers = Readonly<z.infer<typeof answersSchema>>

export interface AnswerOptions {
  readonly dataSet: DataSet
  readonly limit: number | undefined
  readonly seed: number | undefined
  /** A file that keeps what is done of this row. */
  readonly resume: string | undefined
  readonly signal: AbortSignal | undefined
  readonly onProgress: (progress: EvaluationProgress) => void
}

/** Has a model answer all pictures at some settings. @throws BlvitError as {@link evaluate}; `BAD_DATA` if none can be used */
export async function answersOf(
  model: Model,
  settings: Settings,
  { dataSet, limit, seed, resume, signal, onProgress }: AnswerOptions,
): Promise<RowAnswers> {
  const predicted: number[] = []
  const { pictures, evaluated, labelled, results, failures } = await evaluate(model, dataSet, {
    ...{ settings: [settings], limit, seed, signal, onProgress },
    ...(resume === undefined ? {} : { resume }),
    onPicture: ({ answers }) => predicted.push(answers?.[0]?.predicted ?? -1),
  })
  if (labelled === 0)
    throw new BlvitError('BAD_DATA', `No picture of ${dataSet.name} can be used: ${failures[0]?.message}`)
  const [{ top1, top5 } = { top1: shareOf(0, 0), top5: undefined }] = results
  return {
    ...{ pictures, failed: pictures - evaluated, labelled, predicted },
    top1,
    ...(top5 && { top5 }),
  }
}

/** How many of the pictures that both could use have the same first class. */
export function agreementOf(a: RowAnswers, b: RowAnswers): Share {
  const both = a.predicted.map((one, index) => [one, b.predicted[index] ?? -1] as const)
  const usable = both.filter(([one, other]) => one >= 0 && other >= 0)
  return shareOf(usable.filter(([one, other]) => one === other).length, usable.length)
}
