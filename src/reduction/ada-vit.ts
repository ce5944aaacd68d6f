import { z } from 'zod'
import { BlvitError } from '../base/blvit-error.js'
import { times } from '../graph/dim.js'
import {
  add,
  expand,
  gather,
  greater,
  matmul,
  multiply,
  reduceMax,
  reshape,
  scatterAdd,
  slice,
  softmax,
  stopGradient,
  transpose,
  where,
} from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import type { AttendingBlock, BlockHooks, TokenState } from '../models/block-loop.js'
import { withOwnTraining } from '../models/own-training.js'
import { type AttentionView, timesHeadFactor } from '../nn/attention.js'
import {
  type AdaVitOptions,
  allDecisions,
  type BlockDecisions,
  type Decision,
  decidedIn,
  decisionEvent,
  decisionKinds,
  decisionsOf,
  drawnNoise,
  type Noise,
  withDecisions,
  workedOn,
} from './ada-vit-decisions.js'
import { type AdaVitLossOptions, adaVitLosses } from './ada-vit-losses.js'
import { ofChannels, ones } from './bipartite.js'
import { attentionScores, diagonal } from './masked-softmax.js'
import { flag, one } from './parameters.js'
import type { Reduction } from './reduction.js'
import { keepMarked } from './uneven-counts.js'

/** The head decision masks the channels that the MLP reads, too, as in the released code. */
function headsOfMlp({ heads }: BlockDecisions): (x: Tensor) => Tensor {
  return (x) => timesHeadFactor(x, heads?.taken)
}

/** The tokens with what a block decided about them, for a trace too. */
function decided(
  state: TokenState,
  layer: number,
  decisions: BlockDecisions,
  options: AdaVitOptions,
): TokenState {
  const shape = [sizeAt(state.tokens, 0), sizeAt(state.tokens, 1)] as const
  return scope('ada_vit', () => {
    const inHalf = (half: 0 | 1) => expand(workedOn(decisions, half, options) ?? ones(shape[0], 1), shape)
    const taken = slice(greater(add(inHalf(0), inHalf(1)), 0.5), { axis: 1, start: state.prefix })
    const history = [...state.history, decisionEvent(decisions, { layer, taken })]
    return withDecisions({ ...state, history }, layer, decisions)
  })
}

/**
 * Does a part of a block's work for the tokens that it is to be done for alone, and adds nothing to the others.
 * @param stays 1 for tokens that it is done for. `[batch, tokens]` or `[batch, 1]`
 * @param work gives what a half adds to tokens; `mask`: 1 for those that are no filling
 */
function onTaken(
  { tokens }: TokenState,
  stays: Tensor,
  { name, work }: { name: string; work: (rows: Tensor, mask: Tensor) => Tensor },
): Tensor {
  const [batch, count] = [sizeAt(tokens, 0), sizeAt(tokens, 1)]
  const { order, mask } = scope('ada_vit', () =>
    keepMarked(expand(stays, [batch, count]), { size: name, gathered: true }),
  )
  const update = work(gather(tokens, order), mask)
  return scatterAdd(multiply(update, ofChannels(mask)), order, { tokens: count })
}

/** A picture's numbers for each of some heads, as a view of some heads has them. @param x `[batch, any]` */
function forEach(only: Tensor, x: Tensor): Tensor {
  const [batch, any] = [sizeAt(x, 0), sizeAt(x, 1)]
  const some = sizeAt(only, 1)
  return reshape(expand(reshape(x, [batch, 1, any]), [batch, some, any]), [times(batch, some), any])
}

/** A block's attention, of the heads that a picture of the batch takes. @param keyMask 1 for rows that are no filling */
function attentionOfTaken(
  rows: Tensor,
  keyMask: Tensor | undefined,
  { heads, block }: { heads: Decision | undefined; block: AttendingBlock },
): Tensor {
  if (!heads) return block.attentionOn(rows).output({ keyMask })
  const [batch, count] = [sizeAt(heads.taken, 0), sizeAt(heads.taken, 1)]
  const { only, taken } = scope('ada_vit', () => {
    const inAny = reshape(reduceMax(transpose(heads.taken, [1, 0])), [1, count])
    const { order } = keepMarked(inAny, { size: 'heads', gathered: true })
    const some = sizeAt(order, 1)
    const taken = gather(heads.taken, expand(order, [batch, some]))
    return { only: order, taken: reshape(taken, [times(batch, some), 1]) }
  })
  const mask = keyMask && scope('ada_vit', () => forEach(only, keyMask))
  return block.attentionOn(rows, only).output({ keyMask: mask, headFactor: taken })
}

/**
 * How a model runs: tokens that a half of a block doesn't work on are gathered away before it and put back behind it, and
 * no queries, keys and values are made of heads that are off.
 */
function gathered(options: AdaVitOptions): BlockHooks {
  return {
    attend: (view, state, block) => {
      const decisions = decisionsOf(state, block, options, view.heads)
      const left = decided(state, block.layer, decisions, options)
      const stays = workedOn(decisions, 0, options)
      const of = { heads: decisions.heads, block }
      if (!stays) return { state: left, output: attentionOfTaken(state.tokens, undefined, of) }
      const work = (rows: Tensor, keyMask: Tensor) => attentionOfTaken(rows, keyMask, of)
      return { state: left, output: onTaken(state, stays, { name: 'attention', work }) }
    },
    feed: (state, { layer, mlpOn }) => {
      const decisions = decidedIn(state, layer)
      const normed = headsOfMlp(decisions)
      const stays = workedOn(decisions, 1, options)
      if (!stays) return mlpOn(state.tokens, normed)
      return onTaken(state, stays, { name: 'mlp', work: (rows) => mlpOn(rows, normed) })
    },
  }
}

/**
 * The map in which nobody looks at a token that is dropped, and such a one at itself alone. Queries and keys of heads that
 * are off are zeros. @returns `[batch, heads, tokens, tokens]`
 */
function maskedMap(view: AttentionView, { heads, tokens }: BlockDecisions): Tensor {
  const products = attentionScores(view)
  const [batch, headCount, count] = [0, 1, 2].map((axis) => sizeAt(products, axis))
  const shape = (of: Tensor) => reshape(of, [batch ?? 1, headCount ?? 1, 1, 1])
  const ofHeads = heads ? multiply(products, shape(multiply(heads.taken, heads.taken))) : products
  if (!tokens) return softmax(ofHeads)
  const kept = stopGradient(tokens.taken)
  const pairs = matmul(reshape(kept, [batch ?? 1, count ?? 1, 1]), reshape(kept, [batch ?? 1, 1, count ?? 1]))
  const seen = reshape(pairs, [batch ?? 1, 1, count ?? 1, count ?? 1])
  const looks = greater(add(seen, diagonal(Number(count))), 0.5)
  return softmax(where(looks, multiply(ofHeads, seen), Number.NEGATIVE_INFINITY))
}

/** How a model learns, and how it runs where sizes must be known before: everything is computed, and masked. */
function masked(options: AdaVitOptions & { noise?: Noise | undefined }): BlockHooks {
  const times = (update: Tensor, factor: Tensor | undefined) =>
    factor ? multiply(update, reshape(factor, [sizeAt(factor, 0), sizeAt(factor, 1), 1])) : update
  return {
    attend: (view, state, block) => {
      const decisions = decisionsOf(state, block, options, view.heads)
      const { heads } = decisions
      // values are masked before they are mixed and after
      const headFactor = heads && multiply(heads.taken, heads.taken)
      const output = view.mix(maskedMap(view, decisions), { headFactor })
      return {
        state: options.noise
          ? withDecisions(state, block.layer, decisions)
          : decided(state, block.layer, decisions, options),
        output: times(output, workedOn(decisions, 0, options)),
      }
    },
    feed: (state, { layer, mlpOn }) => {
      const decisions = decidedIn(state, layer)
      return times(mlpOn(state.tokens, headsOfMlp(decisions)), workedOn(decisions, 1, options))
    },
  }
}

/**
 * Adaptive computation (Meng et al. 2022): in front of each block small linear maps, learned with the model, decide for each
 * picture which patches it works on, which heads are on, and whether attention and MLP run at all.
 * @param options `depth`: how many blocks there are. `noise`: of a block's decisions while the model learns
 */
export function adaptiveComputation(
  options: AdaVitOptions,
  {
    depth,
    gather: isGathered = true,
    noise = drawnNoise,
    loss,
  }: { depth: number; gather?: boolean; noise?: Noise; loss?: AdaVitLossOptions },
): BlockHooks {
  return {
    ...(isGathered ? gathered(options) : masked(options)),
    training: {
      ...masked({ ...options, noise }),
      pool: (state) => {
        const losses = adaVitLosses(allDecisions(state, depth), loss)
        return { ...state, training: withOwnTraining(state.training, { losses }) }
      },
    },
  }
}

const share = z.number().min(0).lt(1)

const kindList = decisionKinds.join('/')

/** Some of the kinds of decisions, with slashes between. */
const kindsOfDecisions = z
  .codec(z.string(), z.array(z.enum(decisionKinds)).min(1), {
    decode: (text) => text.split('/').map((part) => part.trim()) as (typeof decisionKinds)[number][],
    encode: (chosen) => decisionKinds.filter((kind) => chosen.includes(kind)).join('/'),
  })
  .describe(`some of ${kindList}, with slashes between`)

const parameters = z.object({
  'token-threshold': one(share, 'a number from 0 to below 1').default(0.6),
  threshold: one(share, 'a number from 0 to below 1').default(0.5),
  decides: kindsOfDecisions.default([...decisionKinds]),
  'keep-layers': one(z.int().min(0), 'a whole number').default(1),
  'mlp-of-all': flag.default(false),
  target: one(z.number().gt(0).max(1), 'a number above 0, at most 1').default(0.5),
  start: one(z.number(), 'a number').default(0),
  gather: flag.default(true),
})

/** @throws BlvitError `BAD_OPTION` for decisions that the model has no weights for */
function assertLearned(
  given: z.output<typeof parameters>,
  made: z.output<typeof parameters> | undefined,
): void {
  const missing = given.decides.filter((kind) => !made?.decides.includes(kind))
  const refused = (message: string) => new BlvitError('BAD_OPTION', message, { reduction: 'ada-vit' })
  if (missing.length > 0) {
    const has = made?.decides.join('/') ?? 'none'
    throw refused(
      `ada-vit shall decide about ${missing.join(' and ')}, but this model has weights for ${has}. Say decides=${has}.`,
    )
  }
  const first = made?.['keep-layers'] ?? 0
  if (given['keep-layers'] < first) {
    throw refused(
      `ada-vit shall decide about heads and layers from block ${given['keep-layers']} on, but this model has weights for that from block ${first} on: keep-layers=${first} or more.`,
    )
  }
}

export const adaVit: Reduction<typeof parameters> = {
  name: 'ada-vit',
  about:
    'decides for each picture, by small linear maps that were learned with the model, which patches a block works on, which heads are on, and whether its attention and its MLP run',
  training: 'required',
  needs: {
    classToken: 'has the class token decide',
    notDistilled: 'was made for models whose only token beside the patches is the class token',
  },
  paper: 'Meng et al., "AdaViT: Adaptive Vision Transformers for Efficient Image Recognition", CVPR 2022',
  example: 'ada-vit:0.6',
  main: 'token-threshold',
  parameters,
  parametersAbout: {
    'token-threshold': 'what the sigmoid of a patch must be above; 0.6 in the released code',
    threshold: 'the same for a head and for a half of a block',
    decides: 'what is decided about; everything else is always taken',
    'keep-layers': 'blocks before which heads and layers are always on',
    'mlp-of-all': 'whether the MLP works on dropped tokens too',
    target: 'the share of patches, heads and halves that is to be taken, while a model learns',
    start:
      'what the maps that decide begin with, before they learn: 0 in the released code, where half of all goes at first; with 5 a model begins as the one that it is made of',
    gather: 'whether dropped tokens and skipped halves are left out; false computes and masks them',
  },
  ownWeights: 'the maps that decide (blocks.1.head_select.mlp_head, …)',
  hooks: (model, given, made) => {
    assertLearned(given, made)
    const decides = (kind: (typeof decisionKinds)[number]) => given.decides.includes(kind)
    return adaptiveComputation(
      {
        tokens: decides('tokens'),
        heads: decides('heads'),
        layers: decides('layers'),
        keepLayers: given['keep-layers'],
        tokenThreshold: given['token-threshold'],
        threshold: given.threshold,
        tokensSkipMlp: !given['mlp-of-all'],
        start: given.start,
      },
      { depth: model.depth, gather: given.gather, loss: { target: given.target } },
    )
  },
}
