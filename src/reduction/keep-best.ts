import { assert } from '../base/assert.js'
import { BlvitError } from '../base/blvit-error.js'
import { argsort, concat, gather, matmul, reshape, slice } from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import type { TokenState } from '../models/block-loop.js'
import type { ReduceEvent } from '../models/token-history.js'

/** How many tokens stand behind the prefix: known when a model is built, whatever was reduced before. */
export function candidatesOf({ tokens, prefix }: Pick<TokenState, 'tokens' | 'prefix'>): number {
  const count = sizeAt(tokens, 1)
  assert(typeof count === 'number', 'a number of tokens that is known only at run time')
  return count - prefix
}

/** The prefix tokens, a list of one tensor; none where there are none, as not every engine knows empty tensors. */
export function prefixOf(tokens: Tensor, prefix: number): readonly Tensor[] {
  return prefix === 0 ? [] : [slice(tokens, { axis: 1, end: prefix })]
}

/** What is said of a parameter whose blocks are {@link quarters} if not given. */
export const quartersAbout =
  'the blocks that reduce; if not given those after a quarter, a half and three quarters: 3/6/9 of 12'

/** Blocks after a quarter, a half and three quarters of the depth, counted from 0: 3, 6 and 9 of 12. */
function quarters(depth: number): readonly number[] {
  return [...new Set([1, 2, 3].map((quarter) => Math.floor((quarter * depth) / 4)))]
}

/** @throws BlvitError `BAD_OPTION` for a block that isn't there */
export function blocksOf(
  reduction: string,
  { depth }: { readonly depth: number },
  blocks: readonly number[],
): readonly number[] {
  const beyond = blocks.find((block) => block >= depth)
  if (beyond === undefined) return blocks
  const message = `${reduction} shall reduce in block ${beyond}, but this model's blocks are 0 to ${depth - 1}.`
  throw new BlvitError('BAD_OPTION', message, { block: beyond, depth })
}

/**
 * The share of tokens that stays in each block.
 * @param rates one for all, or one for each of the blocks @param blocks counted from 0; default: {@link quarters}
 * @throws BlvitError `BAD_OPTION` for a block that isn't there, or another number of rates than blocks
 */
export function ratesByBlock(
  reduction: string,
  { depth }: { readonly depth: number },
  {
    keep: rates,
    blocks = quarters(depth),
  }: { keep: readonly number[]; blocks?: readonly number[] | undefined },
): ReadonlyMap<number, number> {
  blocksOf(reduction, { depth }, blocks)
  if (rates.length !== 1 && rates.length !== blocks.length) {
    const message = `${reduction} has ${rates.length} keep rates for ${blocks.length} blocks (${blocks.join(', ')}). Give one rate, or one for each block.`
    throw new BlvitError('BAD_OPTION', message, { rates: rates.length, blocks: blocks.length })
  }
  return new Map(blocks.map((block, i) => [block, rates[i] ?? rates[0] ?? 1]))
}

interface KeepOptions {
  readonly layer: number
  /** How many of the tokens behind the prefix stay. */
  readonly kept: number
  /** Whether the others become one token, their sum weighted by score (EViT); else they are gone. */
  readonly fuse: boolean
}

function eventOf(
  { prefix }: TokenState,
  tensors: { readonly scores: Tensor; readonly order: Tensor },
  { layer, kept, fuse }: KeepOptions,
): ReduceEvent {
  return {
    kind: 'reduce',
    layer,
    tokensAfter: prefix + kept + Number(fuse),
    fused: fuse ? [prefix + kept] : undefined,
    tensors,
    assignment: ({ order = [] }) => {
      const rest = fuse ? prefix + kept : -1
      const after = new Array<number>(prefix + order.length)
      for (let i = 0; i < prefix; i++) after[i] = i
      order.forEach((token, place) => {
        after[prefix + token] = place < kept ? prefix + place : rest
      })
      return after
    },
  }
}

/**
 * Goes on with the prefix and the `kept` tokens of the highest scores, in the order of their scores, equal ones by
 * lower index. Their positions have long been added, so no layer cares about the order.
 * @param scores of the tokens behind the prefix. `[batch, tokens − prefix]`
 */
export function keepBest(state: TokenState, scores: Tensor, options: KeepOptions): TokenState {
  const { tokens, prefix } = state
  const { kept, fuse } = options
  const patches = slice(tokens, { axis: 1, start: prefix })
  const order = argsort(scores)
  const parts = [...prefixOf(tokens, prefix), gather(patches, slice(order, { axis: 1, end: kept }))]
  if (fuse) parts.push(fused(patches, scores, slice(order, { axis: 1, start: kept })))
  return {
    ...state,
    tokens: concat(parts, { axis: 1 }),
    history: [...state.history, eventOf(state, { scores, order }, options)],
  }
}

/** Σ s·x over some tokens, not divided by Σ s. @param rest their indices. `[batch, rest]` @returns `[batch, 1, width]` */
function fused(patches: Tensor, scores: Tensor, rest: Tensor): Tensor {
  return scope('fuse', () => {
    const [batch, count] = [sizeAt(rest, 0), sizeAt(rest, 1)]
    return matmul(reshape(gather(scores, rest), [batch, 1, count]), gather(patches, rest))
  })
}
