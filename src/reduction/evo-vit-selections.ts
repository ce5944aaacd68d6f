import { z } from 'zod'
import { BlvitError } from '../base/blvit-error.js'
import { ratesByBlock } from './keep-best.js'
import { blockList, flag, keepRates, listOf } from './parameters.js'
import type { ReducedModel } from './reduction.js'

/** What Evo-ViT's parameters come to: which blocks choose, how much they keep, and how much of earlier attention counts. */

export const parameters = z.object({
  keep: keepRates,
  mode: z.enum(['stage', 'layer']).describe('stage or layer').default('stage'),
  blocks: blockList.optional(),
  tradeoff: listOf(
    z.number().min(0).max(1),
    'a number from 0 to 1, or one for each block of the model, as in 1/1/0.5/0.5',
  ).default([0.5]),
  representative: flag.default(false),
  'prune-cls': flag.default(false),
  'class-head': flag.default(false),
})

/** Blocks that work on one choice of tokens. */
export interface BlockRange {
  /** Counted from 0. */
  readonly first: number
  readonly last: number
}

/** A choice of a share of the patches, or of each window. */
export interface SharedSelection extends BlockRange {
  readonly rate: number
}

/** A choice of so many patches. */
export interface Selection extends BlockRange {
  /** K, the patches that are chosen. */
  readonly kept: number
}

/** The numbers of the blocks, counted from 1. */
export function layersOf({ first, last }: BlockRange): readonly number[] {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i + 1)
}

export type EvoVitValues = z.output<typeof parameters>

export function refused(message: string): BlvitError {
  return new BlvitError('BAD_OPTION', message, { reduction: 'evo-vit' })
}

/** The blocks that select if nobody says: after a third and two thirds of the depth, or all from the third on. */
function usualBlocks(depth: number, mode: EvoVitValues['mode']): readonly number[] {
  const third = Math.max(1, Math.floor(depth / 3))
  const all = Array.from({ length: depth }, (_, block) => block).slice(third)
  return mode === 'layer'
    ? all
    : all.filter((block) => block === third || block === Math.floor((2 * depth) / 3))
}

/** Which blocks work on which share. @throws BlvitError `BAD_OPTION` */
export function sharesOf(
  { depth }: Pick<ReducedModel, 'depth'>,
  { keep, mode, blocks }: EvoVitValues,
): readonly SharedSelection[] {
  const chosen = blocks ?? usualBlocks(depth, mode)
  if (chosen.length === 0 || chosen.includes(0)) {
    throw refused(
      'evo-vit chooses by the attention of the blocks before, so block 0 takes all patches. Give later blocks, as in blocks=1/4/8.',
    )
  }
  const rates = [...ratesByBlock('evo-vit', { depth }, { keep, blocks: chosen })].toSorted(
    ([a], [b]) => a - b,
  )
  return rates.flatMap(([first, rate], i): SharedSelection[] => {
    const next = rates[i + 1]?.[0] ?? depth
    // a block that takes all has nothing to choose
    if (mode === 'layer') return rate === 1 ? [] : [{ first, last: first, rate }]
    return [{ first, last: next - 1, rate }]
  })
}

/** @throws BlvitError `BAD_OPTION` */
export function selectionsOf(model: ReducedModel, values: EvoVitValues): readonly Selection[] {
  return sharesOf(model, values).map(({ rate, ...blocks }) => {
    const kept = Math.floor(model.patches * rate)
    if (kept >= 1) return { ...blocks, kept }
    throw refused(
      `evo-vit shall keep ${rate} of ${model.patches} patches, which is none. Give a higher rate.`,
    )
  })
}

/** @throws BlvitError `BAD_OPTION` */
export function tradeoffOf(
  { tradeoff }: EvoVitValues,
  depth: number,
  first: number,
): (block: number) => number {
  const [only = 1, ...others] = tradeoff
  // before anything was chosen there is no reason to remember
  if (others.length === 0) return (block) => (block < first ? 1 : only)
  if (tradeoff.length === depth) return (block) => tradeoff[block] ?? only
  throw refused(
    `evo-vit has ${tradeoff.length} tradeoffs for ${depth} blocks. Give one number, or one for each block.`,
  )
}
