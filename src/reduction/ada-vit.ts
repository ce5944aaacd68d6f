import { z } from 'zod'
import { BlvitError } from '../base/blvit-error.js'
import {
  add,
  concat,
  expand,
  gather,
  greater,
  logarithm,
  matmul,
  multiply,
  noiseInput,
  reshape,
  scaleShift,
  scatterAdd,
  sigmoid,
  slice,
  softmax,
  stopGradient,
  subtract,
  where,
} from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import type { AttendingBlock, BlockHooks, TokenState } from '../models/block-loop.js'
import { withOwnTraining } from '../models/own-training.js'
import { type AttentionView, timesHeadFactor } from '../nn/attention.js'
import { linear } from '../nn/linear.js'
import { type AdaVitLossOptions, adaVitLosses } from './ada-vit-losses.js'
import { ofChannels, ones } from './bipartite.js'
import {
  allDecisions,
  type BlockDecisions,
  type Decision,
  decidedIn,
  decisionEvent,
  decisionKinds,
  withDecisions,
} from './block-decisions.js'
import { attentionScores, diagonal } from './masked-softmax.js'
import { flag, one } from './parameters.js'
import type { Reduction } from './reduction.js'
import { keepMarked } from './uneven-counts.js'

export interface AdaVitOptions {
  /** What is decided about. */
  readonly tokens: boolean
  readonly heads: boolean
  readonly layers: boolean
  /** Blocks, counted from 0, before which heads and layers are always on. */
  readonly keepLayers: number
  /** σ must be above it: for a patch, and for a head or a half of a block. */
  readonly tokenThreshold: number
  readonly threshold: number
  /** Whether the MLP, too, leaves out the tokens that are dropped. */
  readonly tokensSkipMlp: boolean
}

/** τ of the released code while a model learns: noisy logits are divided by it. */
const temperature = 5

/** g₁ − g₂, the difference of two Gumbel numbers, of a block's decision. */
export type Noise = (block: number, about: keyof BlockDecisions, shape: Tensor['shape']) => Tensor

// uniform numbers may be 0, and 1 in float32
const margin = 1e-6

/** The difference of two Gumbel numbers is log u − log(1 − u) of a uniform one. */
function drawnNoise(block: number, about: keyof BlockDecisions, shape: Tensor['shape']): Tensor {
  const uniform = noiseInput(`ada_vit_noise.${block}.${about}`, shape)
  const u = scaleShift(uniform, { scale: 1 - 2 * margin, shift: margin })
  return subtract(logarithm(u), logarithm(scaleShift(u, { scale: -1, shift: 1 })))
}

/**
 * The decision network of one kind (§3.2): a linear map, and yes where its sigmoid is above a threshold. With noise it is a
 * draw that learns as if it had taken the sigmoid itself (§3.3, Gumbel-Softmax of two choices).
 */
function decide(
  name: string,
  x: Tensor,
  { out, threshold, noise }: { out: number; threshold: number; noise: Tensor | undefined },
): Decision {
  const logits = linear(`${name}.mlp_head`, x, { out })
  if (!noise) return { logits, taken: greater(sigmoid(logits), threshold) }
  const soft = sigmoid(scaleShift(add(logits, noise), { scale: 1 / temperature }))
  return { logits, taken: add(greater(soft, threshold), subtract(soft, stopGradient(soft))) }
}

/** Which patches a block works on, by their features after its first norm; tokens before them always. */
function decideTokens(
  { tokens, prefix }: TokenState,
  { norm, layer }: AttendingBlock,
  { tokenThreshold: threshold, noise }: AdaVitOptions & { noise?: Noise | undefined },
): Decision {
  const patches = slice(norm(tokens), { axis: 1, start: prefix })
  const shape = [sizeAt(patches, 0), sizeAt(patches, 1)]
  const drawn = noise?.(layer - 1, 'tokens', [...shape, 1])
  const { logits, taken } = decide('attn.token_select', patches, { out: 1, threshold, noise: drawn })
  return {
    logits: reshape(logits, shape),
    taken: concat([ones(sizeAt(patches, 0), prefix), reshape(taken, shape)], { axis: 1 }),
  }
}

/** All decisions of a block (§3.2): about layers and heads by its class token, without a norm. */
function decisionsOf(
  state: TokenState,
  block: AttendingBlock,
  { heads, ...options }: AdaVitOptions & { noise?: Noise | undefined; heads: boolean },
  headCount: number,
): BlockDecisions {
  const { tokens } = state
  const [batch, width] = [sizeAt(tokens, 0), sizeAt(tokens, 2)]
  const { layer } = block
  const { threshold, noise } = options
  const classToken = () => reshape(slice(tokens, { axis: 1, end: 1 }), [batch, width])
  const ofClassToken = (about: 'layers' | 'heads', name: string, out: number) =>
    decide(name, classToken(), { out, threshold, noise: noise?.(layer - 1, about, [batch, out]) })
  const free = layer - 1 >= options.keepLayers
  return {
    layers: free && options.layers ? ofClassToken('layers', 'layer_select', 2) : undefined,
    heads: free && heads ? ofClassToken('heads', 'head_select', headCount) : undefined,
    tokens: options.tokens ? decideTokens(state, block, { ...options, heads }) : undefined,
  }
}

/** The share of a half of the block in its decision about layers. @returns `[batch, 1]` */
function halfOf({ layers }: BlockDecisions, half: 0 | 1): Tensor | undefined {
  return layers && slice(layers.taken, { axis: 1, start: half, end: half + 1 })
}

/** 1 for the tokens that a half of a block works on; undefined: all. `[batch, tokens]`, or `[batch, 1]` for all alike */
function workedOn(
  decisions: BlockDecisions,
  half: 0 | 1,
  { tokensSkipMlp }: AdaVitOptions,
): Tensor | undefined {
  const whole = halfOf(decisions, half)
  const tokens = half === 0 || tokensSkipMlp ? decisions.tokens?.taken : undefined
  return whole && tokens ? multiply(whole, tokens) : (whole ?? tokens)
}

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

/** How a model runs: tokens that a half of a block doesn't work on are gathered away before it and put back behind it. */
function gathered(options: AdaVitOptions): BlockHooks {
  return {
    attend: (view, state, block) => {
      const decisions = decisionsOf(state, block, options, view.heads)
      const left = decided(state, block.layer, decisions, options)
      const headFactor = decisions.heads?.taken
      const stays = workedOn(decisions, 0, options)
      if (!stays) return { state: left, output: view.output({ headFactor }) }
      const work = (rows: Tensor, keyMask: Tensor) => block.attentionOn(rows).output({ keyMask, headFactor })
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
      },
      { depth: model.depth, gather: given.gather },
    )
  },
}
