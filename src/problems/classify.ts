import { BlvitError } from '../base/blvit-error.js'
import { isWholeNumber } from '../base/whole-number.js'
import { outputOf } from '../models/model-definition.js'
import type { ScoreFunction } from '../models/score-function.js'
import { type Problem, rowOf } from './problem.js'

/** One class and how sure the model is. */
export interface ScoredLabel {
  /** Class number from 0. */
  readonly index: number
  readonly label: string
  /**
   * 0 … 1. All classes of a picture sum to 1, unless the model answers each label for itself; of a regression the number
   * that it answers.
   */
  readonly probability: number
}

/** What a model says of a picture. */
export interface Classification {
  /** The best classes, best first. */
  readonly top: readonly ScoredLabel[]
  /** The engine's time, shared equally by the pictures of a batch. Reading the file is not in it. */
  readonly elapsedMs: number
  /** Of a run in two stages, the one that answered: 2 where the first wasn't sure. */
  readonly stage?: 1 | 2 | undefined
}

export interface ClassificationOptions {
  /** How many labels, from 1; `Infinity`: all. Default 5. */
  readonly top?: number | undefined
  /**
   * Only labels with at least this probability, 0 … 1; where no class reaches it, the answer is empty: none of them. Default:
   * the best labels, however unsure.
   */
  readonly threshold?: number | undefined
}

/** Softmax over all classes. exp of the raw logits overflows above 709; the highest one cancels out of the quotient. */
function softmax(logits: ArrayLike<number>): number[] {
  const scores = Array.from(logits)
  const highest = scores.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const powers = scores.map((score) => Math.exp(score - highest))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map((power) => power / sum)
}

/** What becomes of logits, by how the model's head is read. */
const scoring: Readonly<Record<ScoreFunction, (logits: ArrayLike<number>) => number[]>> = {
  softmax,
  sigmoid: (logits) => Array.from(logits, (logit) => 1 / (1 + Math.exp(-logit))),
  none: (logits) => Array.from(logits),
}

/** The score of each class, in class order. */
export function scoresOf(logits: ArrayLike<number>, scores: ScoreFunction): number[] {
  return scoring[scores](logits)
}

/**
 * The classes with the highest logits; equal logits: lower index first.
 * @param options `scores`: what probabilities are made by, over all classes. Default softmax. `threshold`: the least
 *   probability. Default: none
 */
export function rankClasses(
  logits: ArrayLike<number>,
  labels: readonly string[],
  {
    top,
    scores = 'softmax',
    threshold = Number.NEGATIVE_INFINITY,
  }: { top: number; scores?: ScoreFunction; threshold?: number | undefined },
): ScoredLabel[] {
  return scoresOf(logits, scores)
    .map((probability, index) => ({ index, label: labels[index] ?? `class ${index}`, probability }))
    .filter(({ probability }) => probability >= threshold)
    .sort((a, b) => (logits[b.index] ?? 0) - (logits[a.index] ?? 0) || a.index - b.index)
    .slice(0, top)
}

/**
 * @param words the option as its caller knows it: its name, and what asks for all labels
 * @throws BlvitError `BAD_OPTION`
 */
export function checkTop(top: number, { name = 'top', all = 'Infinity' } = {}): void {
  if (isWholeNumber(top) || top === Number.POSITIVE_INFINITY) return
  const message = `${name} is ${top}; it must be a whole number from 1, or ${all} for all labels.`
  throw new BlvitError('BAD_OPTION', message, { [name]: top })
}

/** @throws BlvitError `BAD_OPTION` */
function checkThreshold(threshold: number | undefined, scores: ScoreFunction): void {
  if (threshold === undefined) return
  if (!(threshold >= 0 && threshold <= 1)) {
    const message = `threshold is ${threshold}; it must be a probability from 0 to 1.`
    throw new BlvitError('BAD_OPTION', message, { threshold })
  }
  if (scores !== 'none') return
  const message =
    'This model answers with numbers, not with probabilities (regression): leave the threshold out.'
  throw new BlvitError('BAD_OPTION', message, { threshold })
}

/** What is on a picture: labels and how sure the model is. */
export const classify: Problem<readonly ScoredLabel[], ClassificationOptions> = {
  name: 'classify',
  optionKeys: { top: true, threshold: true },
  outputs: (model) => ({ logits: outputOf(model, 'classify', 'logits') }),
  check: ({ top = 5, threshold }, { scores }) => {
    checkTop(top)
    checkThreshold(threshold, scores)
  },
  isSure: (rows, { scores }, sureFrom) =>
    Math.max(...scoresOf(rowOf(rows, 'logits').values, scores)) >= sureFrom,
  answer: (rows, { labels, scores }, { top = 5, threshold }) =>
    rankClasses(rowOf(rows, 'logits').values, labels, { top, scores, threshold }),
}

/** Place of a class among all, 1 is the best. Equal logits rank by class number, as in {@link rankClasses}. */
export function rankOf(logits: ArrayLike<number>, label: number): number {
  const score = logits[label] ?? Number.NaN
  let rank = 1
  for (let i = 0; i < logits.length; i++) {
    const other = logits[i] ?? Number.NEGATIVE_INFINITY
    if (other > score || (other === score && i < label)) rank += 1
  }
  return rank
}
