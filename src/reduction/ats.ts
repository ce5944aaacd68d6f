import { z } from 'zod'
import { minus, plus } from '../graph/dim.js'
import {
  add,
  argsort,
  concat,
  constant,
  cumulativeSum,
  divide,
  equal,
  gather,
  greater,
  maximum,
  multiply,
  reduceMax,
  reduceSum,
  reshape,
  scaleShift,
  slice,
  squareRoot,
  subtract,
  table,
  where,
} from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import type { Attended, BlockHooks, TokenState } from '../models/block-loop.js'
import type { ReduceEvent } from '../models/token-history.js'
import type { AttentionView } from '../nn/attention.js'
import { ofChannels, ones } from './bipartite.js'
import { blocksOf, prefixOf } from './keep-best.js'
import { maskedSoftmaxMap } from './masked-softmax.js'
import { blockList, flag, keepRateSteps, one } from './parameters.js'
import type { Reduction } from './reduction.js'
import { type Kept, keepMarked } from './uneven-counts.js'

/** A division by a sum of nothing shall give nothing. */
const tiny = 1e-30

/** Beyond every point. */
const farAway = 1e30

export interface SamplingOptions {
  /** M of a block, counted from 0: so many points it samples, and at most so many patches stay; undefined: it doesn't. */
  readonly points: (block: number) => number | undefined
  /** Tokens that aren't picked are gone; false: they stay as masked rows of zeros, as in training. */
  readonly gathered: boolean
  /**
   * What rows that fill up a picture do. `nothing`: each picture is for itself. `counts`: as in the released code, where
   * they are candidates of score 0, keys of score 0 and part of the softmax's ε, so that a picture depends on its batch.
   */
  readonly filling: 'nothing' | 'counts'
}

/**
 * S, how significant each patch is (§3.1, equation 3): the attention that the class token gives it times the length of its
 * value, as a share of all.
 * @param attention of the class token. `[batch, tokens]` @param real 1 for tokens that are no filling. `[batch, patches]`
 * @returns `[batch, patches]`
 */
function significance(
  attention: Tensor,
  v: Tensor,
  { prefix, real }: { prefix: number; real: Tensor },
): Tensor {
  const length = reshape(squareRoot(reduceSum(multiply(v, v), { axes: [-1] })), attention.shape)
  const scores = multiply(slice(multiply(attention, length), { axis: 1, start: prefix }), real)
  return divide(scores, maximum(reduceSum(scores, { axes: [-1] }), tiny))
}

/** The smallest element of each row. @param x `[batch, any]` @returns `[batch, 1]` */
function least(x: Tensor): Tensor {
  return scaleShift(reduceMax(scaleShift(x, { scale: -1 })), { scale: -1 })
}

/** What is sampled, step by step. */
interface Sampling {
  /** Patches by rising significance. int64 `[batch, patches]` */
  readonly ascending: Tensor
  /** Their significance, cumulated and stretched to 0 … 1. `[batch, patches]` */
  readonly cumulative: Tensor
  /** Where it is sampled. `[batch, M]` */
  readonly points: Tensor
  /** 1 for each of the ascending patches that is picked. `[batch, patches]` */
  readonly picked: Tensor
}

/**
 * Inverse transform sampling at fixed points (§3.2, equations 4 and 5): patches whose significance makes the cumulated sum
 * rise much are nearest to some point, of the others many share one.
 */
function sample(
  scores: Tensor,
  real: Tensor,
  { m, filling }: { m: number; filling: SamplingOptions['filling'] },
): Sampling {
  const [batch, patches] = [sizeAt(scores, 0), sizeAt(scores, 1)]
  // filling first, as patches of no significance would come
  const ascending = argsort(subtract(scaleShift(real, { scale: -1, shift: 1 }), scores))
  const isReal = gather(real, ascending)
  const sum = cumulativeSum(gather(scores, ascending))
  // a sum is never above 1 but for rounding
  const lowest = least(filling === 'nothing' ? where(isReal, sum, 2) : sum)
  const range = maximum(subtract(reduceMax(sum), lowest), tiny)
  const cumulative = divide(subtract(sum, lowest), range)
  const first = least(where(greater(cumulative, 0), cumulative, 1e8))
  const t = table(
    Array.from({ length: m }, (_, i) => i / (m - 1)),
    [1, m],
  )
  const points = add(first, multiply(scaleShift(first, { scale: -1, shift: 1 }), t))
  // a patch is picked if some point lies between the middles of it and its neighbours
  const next = concat([slice(cumulative, { axis: 1, start: 1 }), constant(farAway, [batch, 1])], { axis: 1 })
  const middles = scaleShift(add(cumulative, next), { scale: 0.5 })
  const isBeyond = greater(reshape(points, [batch, 1, m]), reshape(middles, [batch, patches, 1]))
  const beyond = reshape(reduceSum(isBeyond, { axes: [2] }), [batch, patches])
  const before = concat([constant(m, [batch, 1]), slice(beyond, { axis: 1, end: minus(patches, 1) })], {
    axis: 1,
  })
  const present = greater(before, beyond)
  // the released code takes the pick of place 1 for a double of what it puts behind the last: there it is lost
  const counted = filling === 'nothing' ? isReal : ones(batch, patches)
  const place = scaleShift(cumulativeSum(counted), { shift: -1 })
  const later = reduceMax(multiply(present, greater(place, 1)))
  const lost = multiply(equal(place, 1), scaleShift(later, { scale: -1, shift: 1 }))
  const picked = multiply(multiply(present, isReal), scaleShift(lost, { scale: -1, shift: 1 }))
  return { ascending, cumulative, points, picked }
}

function eventOf(
  { prefix }: TokenState,
  tensors: Omit<Sampling, 'picked'> & { readonly scores: Tensor } & Kept,
  layer: number,
): ReduceEvent {
  return {
    kind: 'reduce',
    layer,
    tokensAfter: plus(prefix, sizeAt(tensors.order, 1)),
    tensors: { ...tensors },
    assignment: ({ order = [], mask = [] }) => {
      const after = new Array<number>(prefix + Math.max(...order) + 1).fill(-1)
      for (let i = 0; i < prefix; i++) after[i] = i
      order.forEach((patch, place) => {
        if (mask[place] === 1) after[prefix + patch] = prefix + place
      })
      return after
    },
  }
}

/** How the tokens of a block look at each other. */
interface Looking {
  /** What the class token gives to each, by any factor. `[batch, tokens]` */
  readonly classRow: Tensor
  /** What the layer gives for some queries. @param queries rows of `q` */
  output(queries: Tensor): Tensor
}

/**
 * The plain softmax over those that are no filling. The released code adds ε = 1e-6 to its sum of exponentials, which is 1 at
 * least where no key is masked: no weight differs by more than that.
 */
function plainly(view: AttentionView, { mask }: TokenState): Looking {
  const meeting = mask ? { keyMask: mask } : {}
  return { classRow: view.clsRow(meeting), output: (queries) => view.outputOf(queries, meeting) }
}

/** As the released code has it: filling has keys and values of zeros. */
function asReleased(view: AttentionView, state: TokenState): Looking {
  const mask = maskOf(state)
  const [batch, tokens] = [sizeAt(mask, 0), sizeAt(mask, 1)]
  const zeroed = { ...view, k: multiply(view.k, ofChannels(mask)) }
  const map = (queries: Tensor) => maskedSoftmaxMap(zeroed, mask, queries)
  const classMap = map(slice(view.q, { axis: 1, end: 1 }))
  return {
    classRow: reshape(reduceSum(classMap, { axes: [1] }), [batch, tokens]),
    output: (queries) => view.mix(multiply(map(queries), reshape(mask, [batch, 1, 1, tokens]))),
  }
}

/** 1 for each token that is no filling. */
function maskOf({ mask, tokens }: TokenState): Tensor {
  return mask ?? ones(sizeAt(tokens, 0), sizeAt(tokens, 1))
}

/** Filling as rows of zeros. */
function withoutFilling(state: TokenState): TokenState {
  return state.mask ? { ...state, tokens: multiply(state.tokens, ofChannels(state.mask)) } : state
}

/** Attention for the class token and sampled patches alone, which look at all tokens (§3.3). */
function sampledAttention(
  { q, v }: AttentionView,
  state: TokenState,
  { looking, layer, m, options }: { looking: Looking; layer: number; m: number; options: SamplingOptions },
): Attended {
  const { tokens, prefix, history } = state
  const { gathered, filling } = options
  const real = slice(maskOf(state), { axis: 1, start: prefix })
  const { sampling, kept, scores } = scope('ats', () => {
    const scores = significance(looking.classRow, v, { prefix, real })
    const { picked, ...sampling } = sample(scores, real, { m, filling })
    const size = filling === 'nothing' ? 'kept' : 'padded'
    return { scores, sampling, kept: keepMarked(picked, { size, gathered, order: sampling.ascending }) }
  })
  const rows = (x: Tensor) =>
    concat([...prefixOf(x, prefix), gather(slice(x, { axis: 1, start: prefix }), kept.order)], { axis: 1 })
  return {
    output: looking.output(rows(q)),
    state: {
      ...state,
      tokens: rows(tokens),
      mask: concat([ones(sizeAt(tokens, 0), prefix), kept.mask], { axis: 1 }),
      history: [...history, eventOf(state, { scores, ...sampling, ...kept }, layer)],
    },
  }
}

/**
 * Adaptive token sampling (Fayyaz et al. 2022, §3): attention goes on with as many patches as the class token's attention
 * is spread over, each picture its own number, in the order of their significance.
 */
export function tokenSampling(options: SamplingOptions): BlockHooks {
  const isReleased = options.filling === 'counts'
  const learning = { ...options, gathered: false, filling: 'counts' } as const
  return {
    attend: (view, state, { layer }) => {
      const m = options.points(layer - 1)
      const looking = isReleased ? asReleased(view, state) : plainly(view, state)
      if (m !== undefined) return sampledAttention(view, state, { looking, layer, m, options })
      return isReleased ? { output: looking.output(view.q) } : undefined
    },
    ...(isReleased && {
      // what a layer's output map adds to filling is taken away again
      between: withoutFilling,
      after: withoutFilling,
    }),
    ...(options.gathered && { training: tokenSampling(learning) }),
  }
}

const parameters = z.object({
  samples: one(
    z
      .number()
      .gt(0)
      .refine((k) => k <= 1 || Number.isInteger(k)),
    'a share of the tokens above 0 and up to 1, or a whole number of them: 1, 0.5 or 64',
  ).default(1),
  blocks: blockList.optional(),
  gather: flag.default(true),
})

/** The released code samples no fewer. */
const fewestSamples = 8

/** K, the class token included: a number of tokens or a share of them. */
export function samplesOf(samples: number, tokens: number): number {
  const asked = samples <= 1 ? Math.floor(samples * tokens) : samples
  return Math.min(Math.max(asked, fewestSamples), tokens)
}

export const ats: Reduction<typeof parameters> = {
  name: 'ats',
  about: 'keeps as many patches as the class token spreads its attention over, each picture its own number',
  training: 'better',
  needs: {
    classToken: 'keeps the patches that the class token looks at',
    notDistilled: 'has code that takes a distillation token for a patch, which may be dropped',
  },
  paper: 'Fayyaz et al., "Adaptive Token Sampling for Efficient Vision Transformers", ECCV 2022',
  example: 'ats:1',
  main: 'samples',
  steps: () => keepRateSteps,
  fitted: ({ patches }, { samples, ...others }) => ({
    ...others,
    samples: samples <= 1 ? samples : samplesOf(samples, patches + 1),
  }),
  parameters,
  parametersAbout: {
    samples: 'how many tokens are sampled and so stay at most, the class token included',
    blocks: 'where, default: all from a quarter of the depth on, 3 to 11 of 12',
    gather: 'false: the others stay as masked rows instead of being gone, as in training',
  },
  hooks: (model, { samples, blocks, gather: gathered }) => {
    const { depth, patches } = model
    const first = Math.floor(depth / 4)
    const usual = Array.from({ length: depth - first }, (_, i) => first + i)
    const points = samplesOf(samples, patches + 1) - 1
    // of one patch there is nothing to choose
    if (points < 2) return {}
    const sampling = new Set(blocksOf('ats', model, blocks ?? usual))
    return tokenSampling({
      points: (block) => (sampling.has(block) ? points : undefined),
      ...{ gathered, filling: gathered ? 'nothing' : 'counts' },
    })
  },
}
