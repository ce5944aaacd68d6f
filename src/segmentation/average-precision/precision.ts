import { iouThresholds, type Matched } from './match.js'

/** Recalls at which precision is read: 0, 0.01, …, 1. */
const recallLevels: readonly number[] = Array.from({ length: 101 }, (_, i) => i * 0.01)

/** Of one category and area, for each threshold. */
export interface CategoryPrecision {
  /** `[thresholds][101]`: at each recall, the best precision at that recall or a higher one */
  readonly precision: readonly (readonly number[])[]
  /** `[thresholds]`: objects that were found at all, 0 … 1 */
  readonly recall: readonly number[]
}

/** What numpy adds to keep 0 / 0 away: the distance from 1 to the next double. */
const epsilon = Number.EPSILON

/**
 * Precision and recall of a category over all pictures (cocoapi `accumulate`).
 * @param pictures in the order of their ids
 * @param options `most`: detections a picture that count, the best
 * @returns undefined where no object counts: such a category is no part of means
 */
export function categoryPrecision(
  pictures: readonly Matched[],
  { most = Number.POSITIVE_INFINITY }: { readonly most?: number } = {},
): CategoryPrecision | undefined {
  const truths = pictures.reduce((sum, picture) => sum + picture.truths, 0)
  if (truths === 0) return undefined
  const found = pictures.flatMap(({ scores, outcomes }) =>
    scores.slice(0, most).map((score, row) => ({ score, outcomes: outcomes.map((ofAll) => ofAll[row]) })),
  )
  found.sort((a, b) => b.score - a.score)
  const curves = iouThresholds.map((_, threshold) =>
    curve(
      found.map(({ outcomes }) => outcomes[threshold]),
      truths,
    ),
  )
  return { precision: curves.map(({ precision }) => precision), recall: curves.map(({ recall }) => recall) }
}

function curve(outcomes: readonly (Matched['outcomes'][number][number] | undefined)[], truths: number) {
  const recalls: number[] = []
  const precisions: number[] = []
  let [right, wrong] = [0, 0]
  for (const outcome of outcomes) {
    if (outcome === 'right') right++
    if (outcome === 'wrong') wrong++
    recalls.push(right / truths)
    precisions.push(right / (right + wrong + epsilon))
  }
  for (let at = precisions.length - 1; at > 0; at--) {
    precisions[at - 1] = Math.max(precisions[at - 1] ?? 0, precisions[at] ?? 0)
  }
  let reached = 0
  const precision = recallLevels.map((level) => {
    while (reached < recalls.length && (recalls[reached] ?? 0) < level) reached++
    return precisions[reached] ?? 0
  })
  return { precision, recall: recalls.at(-1) ?? 0 }
}

/** The mean of some numbers; undefined of none. */
export function meanOf(numbers: readonly number[]): number | undefined {
  return numbers.length === 0 ? undefined : numbers.reduce((a, b) => a + b, 0) / numbers.length
}
