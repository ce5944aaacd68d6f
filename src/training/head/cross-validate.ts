import { scoresOf } from '../../problems/classify.js'
import { type Head, type HeadScores, unscaled } from './head.js'
import type { HeadSession } from './head-session.js'
import { type LabelledFeatures, rowsOf, scaled, scaleOf } from './labelled-features.js'

/** λ, from the strongest to the weakest: each fit begins where the one before ended. */
const penalties = [3, 1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003] as const

export interface CrossValidation {
  /** λ of the whole, for the final fit. */
  readonly penalty: number
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

/** What some pictures lost at each of {@link penalties}. */
interface Losses {
  readonly pictures: number
  readonly sums: Float64Array
  readonly squares: Float64Array
}

function together(all: readonly Losses[]): Losses {
  const total = (key: 'sums' | 'squares') =>
    Float64Array.from(penalties, (_, index) =>
      all.reduce((sum, each) => sum + (each[key][index] as number), 0),
    )
  const pictures = all.reduce((sum, each) => sum + each.pictures, 0)
  return { pictures, sums: total('sums'), squares: total('squares') }
}

/**
 * The strongest penalty whose loss is at most a standard error above the least (Breiman et al. 1984): of those that the
 * pictures can't tell apart it does better on others, which are more than a fold holds.
 */
function bestPenalty(all: readonly Losses[]): number {
  const { pictures, sums, squares } = together(all)
  const means = sums.map((sum) => sum / pictures)
  const least = means.indexOf(Math.min(...means))
  const mean = means[least] as number
  const variance = (squares[least] as number) / pictures - mean ** 2
  const limit = mean + Math.sqrt(Math.max(0, variance) / pictures)
  return means.findIndex((value) => value <= limit)
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
  const tried: {
    readonly losses: Losses
    readonly heads: readonly Head[]
    readonly rows: readonly number[]
  }[] = []
  /** Each picture's own scores by a head. */
  async function* answers(head: Head, rows: readonly number[]) {
    for await (const { from, values } of session.logits(head, rowsOf(features, rows), signal)) {
      for (let at = 0; at < values.length / classes; at++) {
        const row = rows[from + at] as number
        yield { row, answer: scoresOf(values.subarray(at * classes, (at + 1) * classes), kind) }
      }
    }
  }
  for (let fold = 0; fold < count; fold++) {
    const learned = rowsOf(
      features,
      all.filter((row) => folds[row] !== fold),
    )
    const rows = all.filter((row) => folds[row] === fold)
    const scale = scaleOf(learned)
    const inScale = scaled(learned, scale)
    const heads: Head[] = []
    const sums = new Float64Array(penalties.length)
    const squares = new Float64Array(penalties.length)
    let start: Head | undefined
    for (const [index, penalty] of penalties.entries()) {
      start = await session.fit(inScale, { penalty, classWeights, start, signal })
      const head = unscaled(start, scale)
      heads.push(head)
      for await (const { row, answer } of answers(head, rows)) {
        const loss = logLoss(answer, features.labels[row] ?? [], kind)
        sums[index] = (sums[index] as number) + loss
        squares[index] = (squares[index] as number) + loss ** 2
      }
    }
    tried.push({ losses: { pictures: rows.length, sums, squares }, heads, rows })
    onFold?.(fold + 1, count)
  }
  const scores = new Float32Array(features.count * classes)
  for (const { heads, rows, losses } of tried) {
    const others = tried.flatMap((each) => (each.losses === losses ? [] : [each.losses]))
    const head = heads[bestPenalty(others)]
    if (!head) continue
    for await (const { row, answer } of answers(head, rows)) scores.set(answer, row * classes)
  }
  return { penalty: penalties[bestPenalty(tried.map(({ losses }) => losses))] ?? 1, scores }
}
