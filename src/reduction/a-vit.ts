import { z } from 'zod'
import { defined } from '../base/assert.js'
import {
  add,
  concat,
  constant,
  divide,
  gather,
  greater,
  less,
  logarithm,
  maximum,
  mean,
  multiply,
  reduceSum,
  relu,
  reshape,
  scaleShift,
  scatterAdd,
  sigmoid,
  slice,
  stopGradient,
  subtract,
  table,
} from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import type { BlockHooks, TokenState } from '../models/block-loop.js'
import { withOwnTraining } from '../models/own-training.js'
import type { ReduceEvent } from '../models/token-history.js'
import { ofChannels } from './bipartite.js'
import { flag, namedNumber, one } from './parameters.js'
import type { Reduction } from './reduction.js'
import { keepMarked } from './uneven-counts.js'

export interface HaltingOptions {
  /** The gate: after a block the first channel x₀ of a token is the score h = σ(scale·x₀ − center). */
  readonly scale: number
  readonly center: number
  /** ε: a token halts once its scores add up to more than 1 − ε. */
  readonly epsilon: number
  /** How many blocks there are: none goes on after the last. */
  readonly depth: number
}

/** What is known beside the tokens after a block, under {@link TokenState.aside}. */
interface Halting {
  /** Which of all tokens each is that is still there; undefined: all, in order. int64 `[batch, tokens]` */
  readonly origin?: Tensor | undefined
  /** Σ h so far. `[batch, tokens]` */
  readonly sum: Tensor
  /** 1 − Σ h so far. `[batch, tokens]` */
  readonly remainder: Tensor
  /** h of this block. `[batch, tokens that it had]` */
  readonly score?: Tensor | undefined
  /** 1 for tokens that this block worked on. `[batch, all tokens]` */
  readonly active?: Tensor | undefined
  /** Σ p·x, what is read of each token in the end. `[batch, all tokens, width]` */
  readonly output?: Tensor | undefined
  /** ρ: how many blocks worked on each token, and what its scores then lacked to 1 (§3.2). `[batch, all tokens]` */
  readonly ponder: Tensor
  /** N: how many blocks it took until each halted. `[batch, all tokens]` */
  readonly counter: Tensor
}

/** What is known before the first block, or after the one before. */
function haltingOf({ tokens, aside }: TokenState): Halting {
  const none = constant(0, [sizeAt(tokens, 0), sizeAt(tokens, 1)])
  const one = scaleShift(none, { shift: 1 })
  return { sum: none, remainder: one, ponder: none, counter: one, ...aside }
}

/** h of each token. @param tokens `[batch, tokens, width]` @returns `[batch, tokens]` */
function gate(tokens: Tensor, { scale, center }: HaltingOptions): Tensor {
  const first = reshape(slice(tokens, { axis: 2, end: 1 }), [sizeAt(tokens, 0), sizeAt(tokens, 1)])
  return sigmoid(scaleShift(first, { scale, shift: -center }))
}

/**
 * One block's part of what is read of each token, p·x with p = h or, of one that halts, what its scores lacked to 1 before
 * (§3.1, equations 4 to 6).
 * @returns what is known now, and 1 for tokens that go on
 */
function halt(
  state: TokenState,
  layer: number,
  options: HaltingOptions,
): { halting: Halting & { readonly active: Tensor; readonly score: Tensor }; goesOn: Tensor } {
  const before = haltingOf(state)
  const { origin, output, sum, remainder } = before
  const ofAll = (x: Tensor) => (origin ? scatterAdd(x, origin, { tokens: sizeAt(before.ponder, 1) }) : x)
  const score = gate(state.tokens, options)
  const h = layer === options.depth ? constant(1, score.shape) : score
  const mask = state.mask ?? constant(1, score.shape)
  const total = add(sum, h)
  const halts = multiply(greater(total, 1 - options.epsilon), mask)
  const goesOn = multiply(less(total, 1 - options.epsilon), mask)
  const [rest, part] = [multiply(remainder, halts), multiply(h, goesOn)]
  const here = ofAll(multiply(state.tokens, ofChannels(add(rest, part))))
  const halting = {
    ...before,
    ...{ score, sum: total, remainder: subtract(remainder, part), active: ofAll(mask) },
    output: output ? add(output, here) : here,
    ponder: add(before.ponder, ofAll(add(mask, rest))),
    counter: add(before.counter, ofAll(goesOn)),
  }
  return { halting, goesOn }
}

/** What is known, where it is carried. */
function withHalting(state: TokenState, halting: Halting): TokenState {
  const known = Object.entries(halting).flatMap(([name, x]) => (x ? [[name, x] as const] : []))
  return { ...state, aside: { ...state.aside, ...Object.fromEntries(known) } }
}

/** @param tensors 1 for tokens that are active `before` and `after`, of all */
function withEvent(
  state: TokenState,
  tensors: { readonly before: Tensor; readonly after: Tensor },
  layer: number,
): TokenState {
  const { prefix, tokens, history } = state
  const event: ReduceEvent = {
    kind: 'reduce',
    layer,
    tokensAfter: sizeAt(tokens, 1),
    tensors,
    // places count active patches; the class token keeps its own whether it has halted or not
    assignment: ({ before = [], after = [] }) => {
      const places = before.slice(0, prefix).map((_, token) => token)
      let next = prefix
      for (let token = prefix; token < before.length; token++) {
        if (before[token] === 1) places.push(after[token] === 1 ? next++ : -1)
      }
      return places
    },
  }
  return { ...state, history: [...history, event] }
}

/** After the last block: the weighted sums take the place of the tokens. */
function weightedSums({ mask: _, ...state }: TokenState): TokenState {
  return { ...state, tokens: defined(state.aside?.output, 'the sums of all blocks') }
}

/** How a model runs: tokens that have halted are gathered away. */
function gathered(options: HaltingOptions): BlockHooks {
  return {
    after: (state, { layer }) =>
      scope('a_vit', () => {
        const { halting, goesOn } = halt(state, layer, options)
        if (layer === options.depth) return withHalting(state, halting)
        const { order, mask } = keepMarked(goesOn, { size: 'active', gathered: true })
        const origin = halting.origin ? gather(halting.origin, order) : order
        const after = scatterAdd(mask, origin, { tokens: sizeAt(halting.active, 1) })
        const { sum, remainder } = halting
        const left = withHalting(
          { ...state, tokens: gather(state.tokens, order), mask },
          { ...halting, origin, sum: gather(sum, order), remainder: gather(remainder, order) },
        )
        return withEvent(left, { before: halting.active, after }, layer)
      }),
    pool: weightedSums,
  }
}

/** How a model learns: tokens that have halted stay, nobody looks at them, and their norms give 0. */
function masked(options: HaltingOptions): BlockHooks {
  return {
    // the released code masks the numbers alone: a gradient goes through as if it hadn't
    before: (state) => {
      const { tokens, mask } = state
      if (!mask) return undefined
      const gone = subtract(multiply(tokens, ofChannels(mask)), tokens)
      return { ...state, tokens: add(tokens, stopGradient(gone)) }
    },
    normed: (x, { mask }) => (mask ? multiply(x, ofChannels(mask)) : undefined),
    after: (state, { layer }) =>
      scope('a_vit', () => {
        const { halting, goesOn } = halt(state, layer, options)
        const scored = meanScore(halting.score)
        const means = state.aside?.means ? concat([state.aside.means, scored], { axis: 0 }) : scored
        const left = withHalting(state, halting)
        const known = { ...left, aside: { ...left.aside, means } }
        if (layer < options.depth) {
          return withEvent({ ...known, mask: goesOn }, { before: halting.active, after: goesOn }, layer)
        }
        const losses = haltingLosses({ ...halting, means })
        return { ...known, training: withOwnTraining(state.training, { losses }) }
      }),
    pool: weightedSums,
  }
}

/**
 * Adaptive tokens (Yin et al. 2022, §3): the first channel of a token says after each block how much nearer it is to its
 * end; one whose scores add up to 1 halts, and no later block works on it. What the final norm and the head read of a
 * token is what it was after each of its blocks, weighted by these scores.
 * @param options `masked`: run as a model learns, with all tokens there
 */
export function adaptiveTokens(options: HaltingOptions & { readonly masked?: boolean }): BlockHooks {
  const learning = masked(options)
  return options.masked ? learning : { ...gathered(options), training: learning }
}

/** Blocks that the prior is made for, and the one that its tokens halt in. */
const priorDepth = 12
const priorBlock = 8

/** The share of tokens that shall halt after each block, in the released code's scale: it adds up to more than 1. */
export const haltingPrior: readonly number[] = (() => {
  const density = (x: number) => Math.exp(-(x * x) / 2) / Math.sqrt(2 * Math.PI)
  const densities = Array.from({ length: priorDepth }, (_, block) => density(block - priorBlock))
  const before = densities.slice(0, priorBlock).reduce((sum, x) => sum + x, 0)
  return densities.map((x) => (x * 0.98) / before)
})()

/** h of a block, on average over all tokens of all pictures but the first, as the released code has it. `[1]` */
function meanScore(score: Tensor): Tensor {
  return mean(slice(score, { axis: 0, start: 1 }))
}

/**
 * KL divergence of the blocks after which tokens halt from {@link haltingPrior}, where there is any (§3.3, equation 10).
 * @param means mean scores after each of 12 blocks; as shares at least 0.01 and at most 0.99. `[12]` @returns `[1]`
 */
function priorLoss(means: Tensor): Tensor {
  const shares = divide(means, reduceSum(means))
  const clamped = scaleShift(maximum(scaleShift(maximum(shares, 0.01), { scale: -1 }), -0.99), { scale: -1 })
  const apart = subtract(table(haltingPrior.map(Math.log), [priorDepth]), logarithm(clamped))
  const sum = reduceSum(multiply(table(haltingPrior, [priorDepth]), apart))
  return relu(scaleShift(reshape(sum, [1]), { scale: 1 / priorDepth }))
}

/**
 * What shall become small beside the loss of the task: `ponder`, the mean of ρ (§3.2, equation 9; the paper's weight is
 * 5e-4), and of models of 12 blocks `halting` (1e-3), of batches of two pictures or more.
 */
function haltingLosses({ ponder, means }: Pick<Halting, 'ponder'> & { readonly means: Tensor }) {
  return {
    ponder: mean(ponder),
    ...(sizeAt(means, 0) === priorDepth && { halting: priorLoss(means) }),
  }
}

const parameters = z.object({
  center: namedNumber(
    z.number(),
    { tiny: 30, small: 75 },
    'a number, or what a released model was trained with: tiny (30) or small (75)',
  ),
  scale: one(z.number().gt(0), 'a number above 0').default(10),
  epsilon: one(z.number().gt(0).lt(1), 'a number between 0 and 1').default(0.01),
  gather: flag.default(true),
})

export const aVit: Reduction<typeof parameters> = {
  name: 'a-vit',
  about: 'lets a token halt once the scores that its first channel gives after each block add up to 1',
  training: 'required',
  needs: {
    classToken: 'classifies by the class token, weighted over all blocks',
    notDistilled: 'knows no distillation token',
  },
  paper: 'Yin et al., "A-ViT: Adaptive Tokens for Efficient Vision Transformer", CVPR 2022',
  example: 'a-vit:tiny',
  main: 'center',
  parameters,
  parametersAbout: {
    center: 'what the gate σ(scale·x₀ − center) takes off',
    scale: 'what it multiplies the first channel by',
    epsilon: 'how much the scores of a token may lack to 1 when it halts',
    gather: 'false: halted tokens stay as masked rows instead of being gone, as in training',
  },
  hooks: ({ depth }, { gather: gathers, ...gate }) => adaptiveTokens({ ...gate, depth, masked: !gathers }),
}
