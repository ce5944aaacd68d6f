import { fromScratch } from '../recipes/from-scratch.js'
import type { Recipe } from '../recipes/recipe.js'

/** A hundred steps of 64 pictures, the same for each row of each table on CIFAR-10. */
export const budget = {
  pictures: 6_400,
  batch: 64,
  learningRate: 1e-3,
  schedule: 'cosine',
  warmUp: 0.1,
} as const

/** How much slower weights learn that the teacher has taught already. */
const taughtScale = 0.3

interface BudgetOptions {
  readonly alone?: { readonly pictures: number; readonly learningRate: number }
  readonly freshScale?: number
  readonly clipNorm?: number
}

/**
 * The labels, with the teacher's own crops, and what a method learns from besides.
 * @param own losses of the method's recipe @param fresh a regular expression for the weights that it has besides the teacher's
 * @param options `alone`: a first part of the pictures, from which these learn alone, as fast as this; `freshScale`: how much faster than
 *   the budget's rate they learn, default 1; `clipNorm`: the longest gradient
 */
export function underBudget(
  own: Readonly<Record<string, number>> = {},
  fresh?: string,
  { alone, freshScale = 1, clipNorm }: BudgetOptions = {},
): Recipe {
  const [{ augmentation } = {}] = fromScratch.stages
  const ofFresh = fresh === undefined ? [] : [{ match: fresh, learningRateScale: freshScale }]
  const stage = {
    ...{ objective: 'end to end' as const, ...budget },
    ...(augmentation && { augmentation }),
    ...(clipNorm !== undefined && { clipNorm }),
    loss: { labels: 1, ...own },
    parameters: [...ofFresh, { match: '.', learningRateScale: taughtScale }],
  }
  const stages = alone
    ? [
        { ...stage, ...alone, parameters: [...ofFresh, { match: '.', frozen: true }] },
        { ...stage, pictures: budget.pictures - alone.pictures },
      ]
    : [stage]
  return { about: 'The teacher goes on learning, a hundred steps, with a method', stages }
}

/** The losses of a recipe's last stage, all but those of the labels. */
export function ownLosses({ stages }: Recipe): Readonly<Record<string, number>> {
  const last = stages.at(-1)
  const { labels: _, ...own } = last?.objective === 'end to end' ? last.loss : {}
  return own
}
