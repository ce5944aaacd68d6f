import { scoresOf } from '../../problems/classify.js'
import { type Head, type HeadScores, unscaled } from './head.js'
import type { HeadSession } from './head-session.js'
import { type LabelledFeatures, rowsOf, scaled, scaleOf } from './labelled-features.js'

/** λ, from the strongest to the weakest: each fit begins where the one before ended. */
const penalties = [3, 1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003] as const

export interface CrossValidation {
  /** λ of the whole, for the final fit. */
  readonly penalty: number
  /** The mean log-loss of pictures that weren't learned from, at each of {@link penalties}. */
  readonly losses: readonly number[]
  /**
   * The scores of each picture, `[count, classes]`, by a head that learned neither it nor its doubles, at the λ that the
   * other folds chose.
   */
  readonly scores: Float32Array
}

export interface CrossValidateOptions {
  readonly classes: number
  readonly scores: HeadScores
  /** For each picture its fold. */
  readonly folds: ArrayLike<number>
  readonly classWeights?: readonly number[] | undefined
  readonly signal?: AbortSignal | undefined
  readonly onFold?: ((done: number, of: number) => void) | undefined
}

// a score of 0 for the true class would make every mean infinite
const leastScore = 1e-7

/** The log-loss of a picture's scores. */
function logLoss(scores: ArrayLike<number>, labels: readonly number[], kind: HeadScores): number {
  const log = (score: number) => -Math.log(Math.max(score, leastScore))
  if (kind === 'softmax') return log(scores[labels[0] ?? 0] ?? 0)
  let sum = 0
  for (let label = 0; label < scores.length; label++) {
    const score = scores[label] as number
    sum += log(labels.includes(label) ? score : 1 - score)
  }
  return sum
}

function isBetter(loss: number, than: number | undefined): boolean {
  return than === undefined || loss < than
}

function bestOf(losses: readonly number[]): number {
  let best: number | undefined
  losses.forEach((loss, index) => {
    if (isBetter(loss, best === undefined ? undefined : losses[best])) best = index
  })
  return best ?? 0
}

/**
 * Finds out how strong the penalty must be, and how good a head is on pictures that it didn't learn from.
 * @throws BlvitError `ABORTED`, `ENGINE`
 */
export async function crossValidate(
  session: HeadSession,
  features: LabelledFeatures,
  { classes, scores: kind, folds, classWeights, signal, onFold }: CrossValidateOptions,
): Promise<CrossValidation> {
  const all = Array.from({ length: features.count }, (_, row) => row)
  const count = 1 + all.reduce((most, row) => Math.max(most, folds[row] as number), 0)
  // the scores of each fold at each λ: only one λ will be read, but which one the other folds decide
  const losses = Array.from({ length: count }, () => new Float64Array(penalties.length))
  const heads: Head[][] = []
  const heldOut: number[][] = []
  for (let fold = 0; fold < count; fold++) {
    const learned = rowsOf(
      features,
      all.filter((row) => folds[row] !== fold),
    )
    const rows = all.filter((row) => folds[row] === fold)
    const scale = scaleOf(learned)
    const others = rowsOf(features, rows)
    const inScale = scaled(learned, scale)
    const ofFold: Head[] = []
    let start: Head | undefined
    for (const [index, penalty] of penalties.entries()) {
      start = await session.fit(inScale, { penalty, classWeights, start, signal })
      const head = unscaled(start, scale)
      ofFold.push(head)
      let loss = 0
      for await (const { from, values } of session.logits(head, others, signal)) {
        for (let at = 0; at < values.length / classes; at++) {
          const answer = scoresOf(values.subarray(at * classes, (at + 1) * classes), kind)
          loss += logLoss(answer, others.labels[from + at] ?? [], kind)
        }
      }
      losses[fold]?.set([loss], index)
    }
    heads.push(ofFold)
    heldOut.push(rows)
    onFold?.(fold + 1, count)
  }
  const total = (without?: number) =>
    penalties.map((_, index) =>
      losses.reduce((sum, ofFold, fold) => sum + (fold === without ? 0 : (ofFold[index] as number)), 0),
    )
  const scores = new Float32Array(features.count * classes)
  for (const [fold, rows] of heldOut.entries()) {
    const head = heads[fold]?.[bestOf(total(fold))]
    if (!head) continue
    const others = rowsOf(features, rows)
    for await (const { from, values } of session.logits(head, others, signal)) {
      for (let at = 0; at < values.length / classes; at++) {
        const answer = scoresOf(values.subarray(at * classes, (at + 1) * classes), kind)
        scores.set(answer, (rows[from + at] as number) * classes)
      }
    }
  }
  const summed = total()
  return {
    penalty: penalties[bestOf(summed)] ?? 1,
    losses: summed.map((loss) => loss / features.count),
    scores,
  }
}
