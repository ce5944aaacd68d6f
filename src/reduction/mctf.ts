import { z } from 'zod'
import {
  add,
  exponential,
  logarithm,
  maximum,
  multiply,
  reduceSum,
  reshape,
  scaleShift,
} from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import type { BlockHooks, TokenState } from '../models/block-loop.js'
import type { Mixture } from '../nn/attention.js'
import { assertMergeable, cosines, halves, ones, proportionalBias } from './bipartite.js'
import { averagedBy, joined, ofWhole } from './joining.js'
import { blocksOf, candidatesOf } from './keep-best.js'
import { eventOf, joiningOf, match } from './mctf-matching.js'
import { blockList, flag, one } from './parameters.js'
import type { Reduction } from './reduction.js'

/** Fewer tokens than these are never left by a block that would merge so many (official code). */
const fewestTokens = 10

const temperature = one(z.number().gt(0), 'a temperature above 0')

const parameters = z.object({
  r: one(
    z
      .number()
      .min(0)
      .refine((r) => r < 1 || Number.isInteger(r)),
    'how many tokens go in each block, or below 1 a share of them: 16 or 0.35',
  ),
  blocks: blockList.optional(),
  'one-step': flag.default(true),
  bidirectional: flag.default(true),
  proportional: flag.default(true),
  pooling: z.enum(['attention', 'size', 'sum']).describe('attention, size or sum').default('attention'),
  similarity: temperature.default(1),
  informativeness: temperature.default(20),
  size: temperature.default(40),
})

/** How MCTF matches and merges. */
export interface FusionOptions {
  /** τ_sim, τ_info, τ_size: the larger, the less a criterion counts. */
  readonly temperatures: {
    readonly similarity: number
    readonly informativeness: number
    readonly size: number
  }
  /** Half of the pairs are found from the one half, then the others from the other half (§3.3). */
  readonly bidirectional: boolean
  /** What a token weighs where several become one: attention received times size (§3.4), size, or nothing at all. */
  readonly pooling: 'attention' | 'size' | 'sum'
  /** Fuses before the block's own attention, whose map follows from that of all tokens (§3.5). */
  readonly oneStep: boolean
  /** Whether attention counts a token as often as it has patches. */
  readonly proportional: boolean
}

/** How many tokens go of so many, prefix included. */
export function goingOf(r: number, tokens: number): number {
  const asked = tokens - r < fewestTokens ? tokens - fewestTokens : r
  const going = asked < 1 ? Math.floor((tokens - 1) * asked) : asked
  return Math.min(going, Math.floor((tokens - 1) / 2))
}

/** What each token receives on average over heads and queries. @param map `[batch, heads, queries, keys]` @returns `[batch, keys]` */
function received(map: Tensor): Tensor {
  const [batch, heads, queries, keys] = [0, 1, 2, 3].map((axis) => sizeAt(map, axis))
  const total = reshape(reduceSum(map, { axes: [1, 2] }), [batch ?? 0, keys ?? 0])
  return scaleShift(total, { scale: 1 / (Number(heads) * Number(queries)) })
}

/** x^(1/τ) of numbers from 0 on. */
function tempered(x: Tensor, temperature: number): Tensor {
  if (temperature === 1) return x
  // the logarithm of 0 is none
  return exponential(scaleShift(logarithm(maximum(x, 1e-30)), { scale: 1 / temperature }))
}

/**
 * W: how attractive each pair is, by likeness, little information and small size (§3.2, equations 4 to 7). The paper divides
 * information and size by their largest, the same factor for all pairs, which decides nothing and is left out.
 */
function attraction(
  { tokens, prefix, size }: TokenState,
  importance: Tensor,
  { similarity, informativeness, size: sizes }: FusionOptions['temperatures'],
): Tensor {
  const alike = scaleShift(cosines(halves(tokens, prefix)), { scale: 0.5, shift: 0.5 })
  const uninformative = scaleShift(logarithm(importance), { scale: -1 / informativeness })
  const small = size && scaleShift(logarithm(size), { scale: -1 / sizes })
  const factors = halves(exponential(small ? add(uninformative, small) : uninformative), prefix)
  const [batch, sources, destinations] = [0, 1, 2].map((axis) => sizeAt(alike, axis))
  return multiply(
    multiply(tempered(alike, similarity), reshape(factors.sources, [batch ?? 0, sources ?? 0, 1])),
    reshape(factors.destinations, [batch ?? 0, 1, destinations ?? 0]),
  )
}

/** Fuses tokens, and tells what attention must know of it. */
function fuse(
  state: TokenState,
  map: Tensor,
  { going, layer, options }: { going: number; layer: number; options: FusionOptions },
): { state: TokenState; derived: Mixture } {
  const { tokens, prefix, size } = state
  const [batch, count] = [sizeAt(tokens, 0), prefix + candidatesOf(state)]
  const importance = received(map)
  const forward = options.bidirectional ? Math.floor(going / 2) : going
  const attractive = attraction(state, importance, options.temperatures)
  const fusion = match(attractive, { forward, backward: going - forward })
  const [sources, destinations] = [Number(sizeAt(attractive, 1)), Number(sizeAt(attractive, 2))]
  const joining = joiningOf(fusion, { batch, prefix, sources, destinations })
  const counts = size ?? ones(batch, count)
  const weights = {
    attention: () => (size ? multiply(importance, size) : importance),
    size: () => counts,
    sum: () => ones(batch, count),
  }[options.pooling]()
  const pooled = averagedBy(weights, joining)
  return {
    state: {
      ...state,
      tokens: pooled(tokens),
      size: joined(counts, joining),
      history: [...state.history, eventOf(state, fusion, { going, layer })],
    },
    // What one token receives adds up over those that it is made of, what it gives is their mean (§3.5): of the map of all that
    // is to look at each of those that it is made of with its value, and to take the mean of the rows.
    derived: {
      values: (v) => scope('mctf', () => ofWhole(v, joining)),
      rows: (mixed) => scope('mctf', () => pooled(mixed)),
    },
  }
}

/**
 * Multi-criteria token fusion (Lee et al. 2024, §3).
 * @param going how many of so many tokens (prefix included) go in a block, counted from 0
 */
export function tokenFusion(
  going: (block: number, tokens: number) => number,
  options: FusionOptions,
): BlockHooks {
  const meetingOf = ({ size }: TokenState) =>
    size && options.proportional ? { bias: proportionalBias(size) } : {}
  const goingIn = (state: TokenState, layer: number) => going(layer - 1, state.prefix + candidatesOf(state))
  return {
    attend: (view, state, { layer, attentionOn }) => {
      const meeting = meetingOf(state)
      const merging = goingIn(state, layer)
      if (!options.oneStep || merging <= 0) return { output: view.output(meeting) }
      const map = view.map(meeting)
      const fused = scope('mctf', () => fuse(state, map, { going: merging, layer, options }))
      return { state: fused.state, output: attentionOn(fused.state.tokens).mix(map, fused.derived) }
    },
    after: (state, { layer, attention }) => {
      const merging = goingIn(state, layer)
      if (options.oneStep || merging <= 0) return undefined
      const map = attention.map(meetingOf(state))
      return scope('mctf', () => fuse(state, map, { going: merging, layer, options }).state)
    },
  }
}

export const mctf: Reduction<typeof parameters> = {
  name: 'mctf',
  about:
    'merges the r pairs of patches that are most alike, tell least and are small, and derives the attention of those left ' +
    'from that of all',
  training: 'better',
  paper:
    'Lee et al., "Multi-criteria Token Fusion with One-step-ahead Attention for Efficient Vision Transformers", CVPR 2024',
  example: 'mctf:16',
  main: 'r',
  steps: ({ patches }) =>
    Array.from({ length: Math.floor(patches / 2) }, (_, i) => `${Math.floor(patches / 2) - i}`),
  parameters,
  parametersAbout: {
    r: 'how many tokens merge into others in each of its blocks; never so many that fewer than ten are left',
    blocks: 'the blocks that merge; if not given all but the first',
    'one-step': 'whether tokens merge before the attention of a block instead of after the block',
    bidirectional: 'whether half of the pairs are found from each side instead of all from one',
    proportional: 'whether attention counts a token as often as it has patches',
    pooling: 'what a token weighs where several become one',
    similarity: 'temperature of how alike two are: the larger, the less it counts',
    informativeness: 'temperature of how much attention they receive',
    size: 'temperature of how many patches they stand for',
  },
  hooks: (
    { depth, patches },
    { r, blocks, 'one-step': oneStep, bidirectional, proportional, pooling, ...temperatures },
  ) => {
    // a share of the tokens is never more than there are
    if (r >= 1) assertMergeable('mctf', r, { patches })
    const usual = Array.from({ length: Math.max(depth - 1, 0) }, (_, i) => i + 1)
    const reducing = new Set(blocksOf('mctf', { depth }, blocks ?? usual))
    return tokenFusion((block, tokens) => (reducing.has(block) ? goingOf(r, tokens) : 0), {
      ...{ oneStep, bidirectional, proportional, pooling, temperatures },
    })
  },
}
