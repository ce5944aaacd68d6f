import { type Share, shareOf } from '../../base/share.js'
import type { Answer, PictureOutcome } from './picture-outcome.js'

/** How often a model was right. */
export interface Accuracy {
  /** The labelled class is the first. */
  readonly top1: Share
  /** The labelled class is among the first five; absent for models of up to five classes, which always are right. */
  readonly top5?: Share | undefined
}

/** What was counted at one keep ratio. */
export interface RatioResult extends Accuracy {
  /** Absent for a model that treats all tokens alike. */
  readonly keepRatio?: number | undefined
  /** First class equal to the teacher's; over unlabelled pictures too. Absent without a teacher. */
  readonly agreement?: Share | undefined
}

/** Everything that was counted; doesn't depend on time or place, so a resumed evaluation gives the same. */
export interface Counts {
  /** Pictures that were to be evaluated, those that failed included. */
  readonly pictures: number
  readonly evaluated: number
  /** Of the evaluated ones. */
  readonly labelled: number
  readonly failures: readonly { readonly name: string; readonly code: string; readonly message: string }[]
  readonly results: readonly RatioResult[]
  readonly teacher?: Accuracy | undefined
}

/** Counts outcomes. @param options `keepRatios`: those of the answers, in order; `classes`: of the model */
export function tally(
  outcomes: readonly PictureOutcome[],
  { keepRatios, classes }: { keepRatios: readonly (number | undefined)[]; classes: number },
): Counts {
  const evaluated = outcomes.filter(({ answers }) => answers !== undefined)
  const accuracy = (answers: readonly (Answer | undefined)[]): Accuracy => {
    const ranks = answers.flatMap((answer) => answer?.rank ?? [])
    const within = (best: number) => shareOf(ranks.filter((rank) => rank <= best).length, ranks.length)
    return { top1: within(1), ...(classes > 5 ? { top5: within(5) } : {}) }
  }
  const taught = evaluated.filter(({ teacher }) => teacher !== undefined)
  const results = keepRatios.map((keepRatio, ratio): RatioResult => {
    const alike = taught.filter(({ answers, teacher }) => answers?.[ratio]?.predicted === teacher?.predicted)
    return {
      ...(keepRatio === undefined ? {} : { keepRatio }),
      ...accuracy(evaluated.map(({ answers }) => answers?.[ratio])),
      ...(taught.length > 0 ? { agreement: shareOf(alike.length, taught.length) } : {}),
    }
  })
  return {
    pictures: outcomes.length,
    evaluated: evaluated.length,
    labelled: evaluated.filter(({ label }) => label !== undefined).length,
    failures: outcomes.flatMap(({ name, error }) => (error ? [{ name, ...error }] : [])),
    results,
    ...(taught.length > 0 ? { teacher: accuracy(taught.map(({ teacher }) => teacher)) } : {}),
  }
}
