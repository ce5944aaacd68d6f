import { type Share, shareOf } from '../../../base/share.js'
import { labelResults, meanAveragePrecision } from '../../../problems/label-results.js'
import type { Settings } from '../../../settings/settings.js'
import type { Answer, PictureOutcome } from './picture-outcome.js'

/** How well several labels a picture are told. */
export interface SeveralLabels {
  /** Every label is right, with a class said to be shown from a score of 0.5 on. */
  readonly exact: Share
  /** The mean of the classes' average precision, 0 … 1. */
  readonly meanAveragePrecision: number
}

/** How often a model was right. */
export interface Accuracy {
  /** The labelled class is the first; of several labels, one of them is. */
  readonly top1: Share
  /** The labelled class is among the first five; absent for models of up to five classes, which always are right. */
  readonly top5?: Share | undefined
  /** Where a picture may have several labels. */
  readonly several?: SeveralLabels | undefined
}

/** A setting that a model was evaluated at. */
export interface EvaluatedSetting {
  /** As people read it. */
  readonly setting: string
  readonly values: Settings
}

/** What was counted at one setting, whose values stand in it under their own names. */
export interface SettingResult extends Accuracy, Settings {
  /** As people read it, e.g. `keep ratio 0.5`; `plain` where nothing is set. */
  readonly setting: string
  /** First class equal to the teacher's; over unlabelled pictures too. Absent without a teacher. */
  readonly agreement?: Share | undefined
  /** Of a run in two stages: pictures that went on to the second. Absent where there is one. */
  readonly secondStage?: Share | undefined
}

/** Everything that was counted; doesn't depend on time or place, so a resumed evaluation gives the same. */
export interface Counts {
  /** Pictures that were to be evaluated, those that failed included. */
  readonly pictures: number
  readonly evaluated: number
  /** Of the evaluated ones. */
  readonly labelled: number
  readonly failures: readonly { readonly name: string; readonly code: string; readonly message: string }[]
  readonly results: readonly SettingResult[]
  readonly teacher?: Accuracy | undefined
}

/** Counts outcomes. @param options `settings`: those of the answers, in order; `classes`: of the model */
export function tally(
  outcomes: readonly PictureOutcome[],
  { settings, classes }: { settings: readonly EvaluatedSetting[]; classes: number },
): Counts {
  const evaluated = outcomes.filter(({ answers }) => answers !== undefined)
  const accuracy = (answers: readonly (Answer | undefined)[]): Accuracy => {
    const ranks = answers.flatMap((answer) => answer?.rank ?? [])
    const within = (places: number) => shareOf(ranks.filter((rank) => rank <= places).length, ranks.length)
    const several = severalLabels(answers)
    return {
      top1: within(1),
      ...(classes > 5 && { top5: within(5) }),
      ...(several && { several }),
    }
  }
  const severalLabels = (answers: readonly (Answer | undefined)[]): SeveralLabels | undefined => {
    const told = evaluated.flatMap(({ labels }, index) => {
      const scores = answers[index]?.scores
      return labels && scores ? [{ labels, scores }] : []
    })
    if (told.length === 0) return undefined
    const answered = {
      classes: Array.from({ length: classes }, (_, index) => `${index}`),
      labels: told.map(({ labels }) => labels),
      scores: told.flatMap(({ scores }) => scores),
    }
    return { exact: labelResults(answered).exact, meanAveragePrecision: meanAveragePrecision(answered) }
  }
  const taught = evaluated.filter(({ teacher }) => teacher !== undefined)
  const results = settings.map(({ setting, values }, index): SettingResult => {
    const alike = taught.filter(({ answers, teacher }) => answers?.[index]?.predicted === teacher?.predicted)
    const staged = evaluated.flatMap(({ answers }) => answers?.[index]?.stage ?? [])
    return {
      setting,
      ...values,
      ...accuracy(evaluated.map(({ answers }) => answers?.[index])),
      ...(taught.length > 0 ? { agreement: shareOf(alike.length, taught.length) } : {}),
      ...(staged.length > 0 && {
        secondStage: shareOf(staged.filter((stage) => stage === 2).length, staged.length),
      }),
    }
  })
  return {
    pictures: outcomes.length,
    evaluated: evaluated.length,
    labelled: evaluated.filter(({ label, labels }) => label !== undefined || labels !== undefined).length,
    failures: outcomes.flatMap(({ name, error }) => (error ? [{ name, ...error }] : [])),
    results,
    ...(taught.length > 0 ? { teacher: accuracy(evaluated.map(({ teacher }) => teacher)) } : {}),
  }
}
