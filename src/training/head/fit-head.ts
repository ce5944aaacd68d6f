import type { Random } from '../../base/random.js'
import type { Runtime } from '../../runtime/runtime.js'
import { crossValidate } from './cross-validate.js'
import { stratifiedFolds } from './folds.js'
import { type Head, type HeadScores, unscaled } from './head.js'
import { HeadSession } from './head-session.js'
import { type LabelledFeatures, scaled, scaleOf } from './labelled-features.js'

/** Multiply-adds of a run below which a second thread only waits for the first. */
const workOfOneThread = 100_000_000

export interface FitHeadOptions {
  readonly classes: number
  readonly scores: HeadScores
  /** A number for each picture; those with the same are on the same side of every split. */
  readonly groups: ArrayLike<number>
  /** At most so many parts. */
  readonly folds: number
  /** Let classes with few pictures count as much as others. */
  readonly balance: boolean
  readonly random: Random
  readonly threads?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onFit?: ((done: number, total: number) => void) | undefined
}

export interface FittedHead {
  /** Of all pictures. */
  readonly head: Head
  readonly penalty: number
  readonly folds: number
  /** `[count, classes]`: of each picture by a head that didn't learn from it. */
  readonly heldOutScores: Float32Array
}

/** What each class counts: all classes the same, the pictures 1 on average. */
function balancedWeights(labels: readonly (readonly number[])[], classes: number): number[] {
  const counts = new Array<number>(classes).fill(0)
  for (const [label] of labels) if (label !== undefined) counts[label] = (counts[label] ?? 0) + 1
  return counts.map((count) => (count === 0 ? 0 : labels.length / (classes * count)))
}

/** No class may be missing from what a fold learns: no more folds than its smallest class has different pictures. */
function possibleFolds({ labels }: LabelledFeatures, { classes, groups, folds }: FitHeadOptions): number {
  const different = Array.from({ length: classes }, () => new Set<number>())
  for (const [row, own] of labels.entries())
    for (const label of own) different[label]?.add(groups[row] as number)
  return Math.max(
    2,
    different.reduce((least, { size }) => Math.min(least, size), folds),
  )
}

/**
 * A head for all pictures, and how good such a head is on pictures that it didn't learn from.
 * @throws BlvitError `ABORTED`, `ENGINE`
 */
export async function fitHead(
  runtime: Runtime,
  features: LabelledFeatures,
  options: FitHeadOptions,
): Promise<FittedHead> {
  const { classes, scores, groups, balance, random, signal, onFit } = options
  const folds = possibleFolds(features, options)
  const foldOf = stratifiedFolds(features.labels, groups, { folds, random })
  const classWeights = balance && scores === 'softmax' ? balancedWeights(features.labels, classes) : undefined
  const isSmall = features.count * features.inputs * classes < workOfOneThread
  const threads = options.threads ?? (isSmall ? 1 : undefined)
  await using session = await HeadSession.open(
    runtime,
    { inputs: features.inputs, classes, scores },
    { threads },
  )
  const validated = await crossValidate(session, features, {
    ...{ classes, scores, folds: foldOf, classWeights, signal },
    onFold: (done) => onFit?.(done, folds + 1),
  })
  const scale = scaleOf(features)
  const { penalty } = validated
  const head = unscaled(await session.fit(scaled(features, scale), { penalty, classWeights, signal }), scale)
  onFit?.(folds + 1, folds + 1)
  return { head, penalty, folds, heldOutScores: validated.scores }
}
