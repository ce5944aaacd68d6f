import type { Random } from '../../base/random.js'
import { stratifiedFolds } from './folds.js'

/** Parts that the pictures are shared out among: one says when to stop, one how good the result is, the others teach. */
const parts = 7

/** The pictures of a fine-tuning of all layers, by what they are for. */
export interface Split {
  readonly learn: readonly number[]
  readonly validate: readonly number[]
  readonly test: readonly number[]
}

/** Shares pictures out: doubles stay together, and each part has its share of every class. */
export function splitPictures(
  labels: readonly (readonly number[])[],
  groups: ArrayLike<number>,
  random: Random,
): Split {
  const folds = stratifiedFolds(labels, groups, { folds: parts, random })
  const rowsIn = (wanted: (fold: number) => boolean) =>
    labels.flatMap((_, row) => (wanted(folds[row] as number) ? [row] : []))
  return {
    test: rowsIn((fold) => fold === 0),
    validate: rowsIn((fold) => fold === 1),
    learn: rowsIn((fold) => fold > 1),
  }
}
