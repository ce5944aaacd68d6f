import type { Answered } from '../../problems/label-results.js'
import { answerOf } from './assess.js'

/** A picture that a head takes for another class than it was told. */
export interface Mistake {
  readonly picture: number
  readonly label: number
  readonly said: number
  /** Of the class that was said. */
  readonly score: number
  /** Of the class that it was told. */
  readonly ownScore: number
}

/** All wrong answers about pictures of one label each, the surest first. */
export function mistakesOf(answered: Answered): Mistake[] {
  const { classes, labels, scores } = answered
  const mistakes = labels.flatMap(([label], picture): Mistake[] => {
    if (label === undefined) return []
    const { label: said, score } = answerOf(answered, picture)
    if (said === label) return []
    return [{ picture, label, said, score, ownScore: scores[picture * classes.length + label] as number }]
  })
  return mistakes.sort((a, b) => b.score - b.ownScore - (a.score - a.ownScore) || a.picture - b.picture)
}

/**
 * Pictures that are likely to have the wrong label, by confident learning (Northcutt, Jiang and Chuang 2021): the head, which
 * hasn't learned from them, is at least as sure of another class as it is on average of that class's own pictures.
 */
export function suspectsOf(answered: Answered, mistakes: readonly Mistake[]): Mistake[] {
  const { classes, labels, scores } = answered
  const sums = new Float64Array(classes.length)
  const counts = new Float64Array(classes.length)
  for (const [picture, [label]] of labels.entries()) {
    if (label === undefined) continue
    sums[label] = (sums[label] as number) + (scores[picture * classes.length + label] as number)
    counts[label] = (counts[label] as number) + 1
  }
  return mistakes.filter(
    ({ said, score }) => score >= (sums[said] as number) / Math.max(1, counts[said] as number),
  )
}
