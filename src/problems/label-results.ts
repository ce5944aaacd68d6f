import { type Share, shareOf } from '../base/share.js'

/** How a class fared. */
export interface ClassResult {
  readonly label: string
  /** Pictures that show it. */
  readonly pictures: number
  /** Of the pictures that were said to show it, those that do. */
  readonly precision: Share
  /** Of the pictures that show it, those that were said to. */
  readonly recall: Share
}

/** Answers beside the truth. */
export interface Answered {
  readonly classes: readonly string[]
  /** The class numbers of each picture. */
  readonly labels: readonly (readonly number[])[]
  /** `[pictures, classes]` */
  readonly scores: ArrayLike<number>
}

/** From this score on a picture is said to show a class. */
const shownFrom = 0.5

/** Precision and recall of each class at 0.5, and how often all labels of a picture are right. */
export function labelResults({ classes, labels, scores }: Answered): {
  readonly classes: ClassResult[]
  readonly exact: Share
} {
  let exact = 0
  const counts = classes.map(() => ({ shown: 0, said: 0, right: 0 }))
  for (const [picture, own] of labels.entries()) {
    let wrong = 0
    for (const [at, count] of counts.entries()) {
      const said = (scores[picture * classes.length + at] as number) >= shownFrom
      const shown = own.includes(at)
      count.shown += Number(shown)
      count.said += Number(said)
      count.right += Number(said && shown)
      wrong += Number(said !== shown)
    }
    exact += Number(wrong === 0)
  }
  return {
    exact: shareOf(exact, labels.length),
    classes: counts.map(({ shown, said, right }, at) => ({
      label: classes[at] ?? '',
      pictures: shown,
      precision: shareOf(right, said),
      recall: shareOf(right, shown),
    })),
  }
}

/**
 * The mean over the classes of the average precision: the mean, over the pictures that show a class, of the precision among
 * those that score at least as high (as scikit-learn's `average_precision_score` computes it).
 */
export function meanAveragePrecision({ classes, labels, scores }: Answered): number {
  const each = classes.map((_, at) => {
    const ranked = labels
      .map((own, picture) => ({
        shown: own.includes(at),
        score: scores[picture * classes.length + at] as number,
      }))
      .sort((a, b) => b.score - a.score)
    let [sum, right, before] = [0, 0, 0]
    for (const [index, { shown, score }] of ranked.entries()) {
      right += Number(shown)
      // pictures of one score come together
      if (ranked[index + 1]?.score === score) continue
      sum += (right - before) * (right / (index + 1))
      before = right
    }
    return right === 0 ? undefined : sum / right
  })
  const known = each.filter((value) => value !== undefined)
  return known.reduce((a, b) => a + b, 0) / Math.max(1, known.length)
}
