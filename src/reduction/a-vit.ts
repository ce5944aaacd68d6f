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
import type { ReduceEvent } from '../models/token-history.js'
import { ofChannels, ones } from './bipartite.js'
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
  /** Halted tokens are gone; false: they stay as masked rows, as in training. */
  readonly gathered: boolean
}

/** What became of the tokens, class token included: what the losses are made of. */
export interface Halting {
  /** h after each block. `[batch, tokens]`, where halted ones are gathered away those that the block worked on */
  readonly scores: readonly Tensor[]
  /** 1 for tokens that a block works on, of each block. `[batch, all tokens]` */
  readonly active: readonly Tensor[]
  /** ρ: how many blocks worked on each token, and what its scores then lacked to 1 (§3.2). `[batch, all tokens]` */
  readonly ponder: Tensor
  /** N: how many blocks it took until each halted. `[batch, all tokens]` */
  readonly counter: Tensor
}

/** The tokens that go on. All `[batch, tokens]` */
interface Running {
  /** Which of all tokens each is. int64; undefined: all, in order */
  readonly origin?: Tensor
  /** 1 for active ones. */
  readonly mask: Tensor
  /** Σ h so far. */
  readonly sum: Tensor
  /** 1 − Σ h so far. */
  readonly remainder: Tensor
}

/** Sums over blocks for all tokens. */
interface Sums extends Pick<Halting, 'ponder' | 'counter'> {
  /** Σ p·x. `[batch, all tokens, width]` */
  readonly output: Tensor
}

/** h of each token. @param tokens `[batch, tokens, width]` @returns `[batch, tokens]` */
function gate(tokens: Tensor, { scale, center }: HaltingOptions): Tensor {
  const first = reshape(slice(tokens, { axis: 2, end: 1 }), [sizeAt(tokens, 0), sizeAt(tokens, 1)])
  return sigmoid(scaleShift(first, { scale, shift: -center }))
}

/** @param tensors 1 for tokens that are active `before` and `after`, of all */
function eventOf(
  { prefix, tokens }: TokenState,
  tensors: { readonly before: Tensor; readonly after: Tensor },
  layer: number,
): ReduceEvent {
  return {
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
}

/**
 * Adaptive tokens (Yin et al. 2022, §3): the first channel of a token says after each block how much nearer it is to its
 * end; one whose scores add up to 1 halts, and no later block works on it. What the final norm and the head read of a
 * token is what it was after each of its blocks, weighted by these scores (equation 6).
 * @param tell is given what the losses are made of
 */
export function adaptiveTokens(
  options: HaltingOptions,
  tell: (halting: Halting) => void = () => {},
): BlockHooks {
  const { depth, gathered, epsilon } = options
  // of the model that is being built: `start` begins anew
  let running: Running | undefined
  let sums: Sums | undefined
  const scores: Tensor[] = []
  const active: Tensor[] = []

  /** One block's part of a token, and who goes on. */
  const halt = (state: TokenState, layer: number) => {
    const now = defined(running, 'the tokens of the first block')
    const tokens = sizeAt(active[0] ?? now.mask, 1)
    const ofAll = (x: Tensor) => (now.origin ? scatterAdd(x, now.origin, { tokens }) : x)
    const score = gate(state.tokens, options)
    scores.push(score)
    active.push(ofAll(now.mask))
    const h = layer === depth ? constant(1, score.shape) : score
    const sum = add(now.sum, h)
    const halts = multiply(greater(sum, 1 - epsilon), now.mask)
    const goesOn = multiply(less(sum, 1 - epsilon), now.mask)
    const [rest, part] = [multiply(now.remainder, halts), multiply(h, goesOn)]
    const block: Sums = {
      output: ofAll(multiply(state.tokens, ofChannels(add(rest, part)))),
      ponder: ofAll(add(now.mask, rest)),
      counter: ofAll(goesOn),
    }
    sums = sums
      ? {
          output: add(sums.output, block.output),
          ponder: add(sums.ponder, block.ponder),
          counter: add(sums.counter, block.counter),
        }
      : { ...block, counter: scaleShift(block.counter, { shift: 1 }) }
    return { ...now, mask: goesOn, sum, remainder: subtract(now.remainder, part) }
  }

  const goOn = (state: TokenState, next: Running, layer: number): TokenState => {
    const before = defined(active.at(-1), 'the tokens of this block')
    if (!gathered) {
      running = next
      const event = eventOf(state, { before, after: next.mask }, layer)
      return { ...state, mask: next.mask, history: [...state.history, event] }
    }
    const { order, mask } = keepMarked(next.mask, { size: 'active', gathered })
    const origin = next.origin ? gather(next.origin, order) : order
    running = { origin, mask, sum: gather(next.sum, order), remainder: gather(next.remainder, order) }
    const left = { ...state, tokens: gather(state.tokens, order), mask }
    const after = scatterAdd(mask, origin, { tokens: sizeAt(before, 1) })
    return { ...left, history: [...state.history, eventOf(left, { before, after }, layer)] }
  }

  return {
    start: ({ tokens }) => {
      const [batch, count] = [sizeAt(tokens, 0), sizeAt(tokens, 1)]
      const mask = ones(batch, count)
      running = { mask, sum: scaleShift(mask, { scale: 0 }), remainder: mask }
      sums = undefined
      scores.length = 0
      active.length = 0
      return undefined
    },
    ...(!gathered && {
      // the released code masks the numbers alone: a gradient goes through as if it hadn't
      before: (state) => {
        const { tokens, mask } = state
        if (!mask) return undefined
        const gone = subtract(multiply(tokens, ofChannels(mask)), tokens)
        return { ...state, tokens: add(tokens, stopGradient(gone)) }
      },
      normed: (x, { mask }) => (mask ? multiply(x, ofChannels(mask)) : undefined),
    }),
    after: (state, { layer }) =>
      scope('a_vit', () => {
        const next = halt(state, layer)
        return layer === depth ? undefined : goOn(state, next, layer)
      }),
    pool: ({ mask: _, ...state }) => {
      const { output, ponder, counter } = defined(sums, 'the sums of all blocks')
      tell({ scores: [...scores], active: [...active], ponder, counter })
      return { ...state, tokens: output }
    },
  }
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

/** The mean score after each block, of all pictures but the first, as the released code has it. `[depth]` */
export function meanScores({ scores }: Pick<Halting, 'scores'>): Tensor {
  return concat(
    scores.map((score) => mean(slice(score, { axis: 0, start: 1 }))),
    { axis: 0 },
  )
}

/** Σ t·(log t − log p) ÷ 12, p the mean scores as shares, but at least 0.01 and at most 0.99. `[1, 1]` */
function divergence(means: Tensor): Tensor {
  const shares = divide(means, reduceSum(means))
  const clamped = scaleShift(maximum(scaleShift(maximum(shares, 0.01), { scale: -1 }), -0.99), { scale: -1 })
  const apart = subtract(table(haltingPrior.map(Math.log), [priorDepth]), logarithm(clamped))
  const sum = reduceSum(multiply(table(haltingPrior, [priorDepth]), apart))
  return scaleShift(sum, { scale: 1 / priorDepth })
}

/**
 * What is added to the loss of the task in training: few blocks a token (§3.2, equation 9), and blocks after which tokens
 * halt as {@link haltingPrior} says (§3.3, equation 10), where the model has its 12 blocks and the two are apart at all.
 * @param halting of tokens that are masked, not gathered, and of two pictures or more
 * @returns both times their weights, `[1]`
 */
export function haltingLoss(
  halting: Halting,
  { ponderWeight = 5e-4, priorWeight = 1e-3 }: { ponderWeight?: number; priorWeight?: number } = {},
): { readonly ponder: Tensor; readonly prior?: Tensor } {
  const ponder = scaleShift(mean(halting.ponder), { scale: ponderWeight })
  if (halting.scores.length !== priorDepth) return { ponder }
  const prior = relu(divergence(meanScores(halting)))
  return { ponder, prior: scaleShift(reshape(prior, [1]), { scale: priorWeight }) }
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
  hooks: (model, { gather: gathered, ...gate }) => {
    return adaptiveTokens({ ...gate, gathered, depth: model.depth })
  },
}
