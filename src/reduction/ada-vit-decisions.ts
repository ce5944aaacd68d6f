import { constantOf } from '../graph/initialiser.js'
import {
  add,
  concat,
  greater,
  multiply,
  reshape,
  scaleShift,
  sigmoid,
  slice,
  stopGradient,
  subtract,
} from '../graph/ops/index.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import type { AttendingBlock, TokenState } from '../models/block-loop.js'
import type { DecideEvent } from '../models/token-history.js'
import { linear } from '../nn/linear.js'
import { ones } from './bipartite.js'
import { gumbelDifference } from './gumbel.js'

/** What a block decides, of each of several things. */
export interface Decision {
  /** Before the sigmoid and without noise. `[batch, things]` */
  readonly logits: Tensor
  /** 1: yes, 0: no. `[batch, things]` */
  readonly taken: Tensor
}

/** What a block decides for each picture; undefined: everything is taken there. */
export interface BlockDecisions {
  /** Whether attention and MLP run. `[batch, 2]` */
  readonly layers?: Decision | undefined
  /** `[batch, heads]` */
  readonly heads?: Decision | undefined
  /** `taken` of all tokens, always 1 for those before the patches. `[batch, tokens]` */
  readonly tokens?: Decision | undefined
}

/** Where a block's decisions stand beside the tokens. */
function asideName(layer: number, about: keyof BlockDecisions, what: keyof Decision): string {
  return `ada_vit.${layer}.${about}.${what}`
}

/** What is decided about. */
export const decisionKinds = ['layers', 'heads', 'tokens'] as const

/** The tokens with what a layer, counted from 1, decided about them. */
export function withDecisions(state: TokenState, layer: number, decisions: BlockDecisions): TokenState {
  const more = decisionKinds.flatMap((about) => {
    const { logits, taken } = decisions[about] ?? {}
    if (!logits || !taken) return []
    return [
      [asideName(layer, about, 'logits'), logits],
      [asideName(layer, about, 'taken'), taken],
    ] as const
  })
  return { ...state, aside: { ...state.aside, ...Object.fromEntries(more) } }
}

/** What was decided in a layer, counted from 1, of a model on its way. */
export function decidedIn({ aside }: Pick<TokenState, 'aside'>, layer: number): BlockDecisions {
  const of = (about: keyof BlockDecisions): Decision | undefined => {
    const [logits, taken] = [
      aside?.[asideName(layer, about, 'logits')],
      aside?.[asideName(layer, about, 'taken')],
    ]
    return logits && taken ? { logits, taken } : undefined
  }
  return { layers: of('layers'), heads: of('heads'), tokens: of('tokens') }
}

/** All decisions of a model, in the order of its blocks. */
export function allDecisions({ aside }: Pick<TokenState, 'aside'>, depth: number): readonly BlockDecisions[] {
  return Array.from({ length: depth }, (_, block) => decidedIn({ ...(aside && { aside }) }, block + 1))
}

const halves = ['attention', 'MLP'] as const

/**
 * What a trace tells of a block's decisions.
 * @param block `layer`: counted from 1. `taken`: 1 for patches that it works on. `[batch, patches]`
 */
export function decisionEvent(
  { layers, heads, tokens }: BlockDecisions,
  { layer, taken }: { layer: number; taken: Tensor },
): DecideEvent {
  return {
    kind: 'decide',
    layer: layer - 1,
    about: layer,
    tensors: {
      scores: tokens ? sigmoid(tokens.logits) : taken,
      taken,
      ...(layers && { layers: layers.taken }),
      ...(heads && { heads: heads.taken }),
    },
    words: ({ layers: run = [], heads: all = [] }) => {
      const on = all.filter((is) => is > 0).length
      return [
        ...halves.flatMap((half, i) => (run[i] === 0 ? [`${half} skipped`] : [])),
        ...(on < all.length ? [`${on} of ${all.length} heads`] : []),
      ]
    },
  }
}

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
  /** What the biases of the maps that decide begin with, before anything is learned. */
  readonly start: number
}

/** τ of the released code while a model learns: noisy logits are divided by it. */
const temperature = 5

/** g₁ − g₂, the difference of two Gumbel numbers, of a block's decision. */
export type Noise = (block: number, about: keyof BlockDecisions, shape: Tensor['shape']) => Tensor

export const drawnNoise: Noise = (block, about, shape) =>
  gumbelDifference(`ada_vit_noise.${block}.${about}`, shape)

/**
 * The decision network of one kind (§3.2): a linear map, and yes where its sigmoid is above a threshold. With noise it is a
 * draw that learns as if it had taken the sigmoid itself (§3.3, Gumbel-Softmax of two choices).
 */
function decide(
  name: string,
  x: Tensor,
  {
    out,
    threshold,
    start,
    noise,
  }: { out: number; threshold: number; start: number; noise: Tensor | undefined },
): Decision {
  const logits = linear(`${name}.mlp_head`, x, { out, biasInitialiser: constantOf(start) })
  if (!noise) return { logits, taken: greater(sigmoid(logits), threshold) }
  const soft = sigmoid(scaleShift(add(logits, noise), { scale: 1 / temperature }))
  return { logits, taken: add(greater(soft, threshold), subtract(soft, stopGradient(soft))) }
}

/** Which patches a block works on, by their features after its first norm; tokens before them always. */
function decideTokens(
  { tokens, prefix }: TokenState,
  { norm, layer }: AttendingBlock,
  { tokenThreshold: threshold, start, noise }: AdaVitOptions & { noise?: Noise | undefined },
): Decision {
  const patches = slice(norm(tokens), { axis: 1, start: prefix })
  const shape = [sizeAt(patches, 0), sizeAt(patches, 1)]
  const drawn = noise?.(layer - 1, 'tokens', [...shape, 1])
  const { logits, taken } = decide('attn.token_select', patches, { out: 1, threshold, start, noise: drawn })
  return {
    logits: reshape(logits, shape),
    taken: concat([ones(sizeAt(patches, 0), prefix), reshape(taken, shape)], { axis: 1 }),
  }
}

/** All decisions of a block (§3.2): about layers and heads by its class token, without a norm. */
export function decisionsOf(
  state: TokenState,
  block: AttendingBlock,
  { heads, ...options }: AdaVitOptions & { noise?: Noise | undefined; heads: boolean },
  headCount: number,
): BlockDecisions {
  const { tokens } = state
  const [batch, width] = [sizeAt(tokens, 0), sizeAt(tokens, 2)]
  const { layer } = block
  const { threshold, start, noise } = options
  const classToken = () => reshape(slice(tokens, { axis: 1, end: 1 }), [batch, width])
  const ofClassToken = (about: 'layers' | 'heads', name: string, out: number) =>
    decide(name, classToken(), { out, threshold, start, noise: noise?.(layer - 1, about, [batch, out]) })
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
export function workedOn(
  decisions: BlockDecisions,
  half: 0 | 1,
  { tokensSkipMlp }: AdaVitOptions,
): Tensor | undefined {
  const whole = halfOf(decisions, half)
  const tokens = half === 0 || tokensSkipMlp ? decisions.tokens?.taken : undefined
  return whole && tokens ? multiply(whole, tokens) : (whole ?? tokens)
}
