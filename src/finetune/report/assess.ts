import { type Share, shareOf } from '../../base/share.js'
import type { Answered, ClassResult } from '../../problems/label-results.js'

/** What a picture is said to show. */
export function answerOf(
  { classes, scores }: Pick<Answered, 'classes' | 'scores'>,
  picture: number,
): {
  readonly label: number
  readonly score: number
} {
  let label = 0
  const from = picture * classes.length
  for (let at = 1; at < classes.length; at++) {
    if ((scores[from + at] as number) > (scores[from + label] as number)) label = at
  }
  return { label, score: scores[from + label] as number }
}

/** How often each class was taken for each other. `[true class][said class]` */
export function confusionOf(answered: Answered): number[][] {
  const { classes, labels } = answered
  const confusion = classes.map(() => new Array<number>(classes.length).fill(0))
  for (const [picture, [truth]] of labels.entries()) {
    const row = truth === undefined ? undefined : confusion[truth]
    if (!row) continue
    const { label } = answerOf(answered, picture)
    row[label] = (row[label] ?? 0) + 1
  }
  return confusion
}

const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0)

/** Precision and recall of each class. */
export function classResults(
  classes: readonly string[],
  confusion: readonly (readonly number[])[],
): ClassResult[] {
  return classes.map((label, at) => {
    const right = confusion[at]?.[at] ?? 0
    const pictures = sum(confusion[at] ?? [])
    const said = sum(confusion.map((row) => row[at] ?? 0))
    return { label, pictures, precision: shareOf(right, said), recall: shareOf(right, pictures) }
  })
}

/** How often the answer is right. */
export function accuracyOf(confusion: readonly (readonly number[])[]): Share {
  const right = sum(confusion.map((row, at) => row[at] ?? 0))
  return shareOf(right, sum(confusion.map(sum)))
}
