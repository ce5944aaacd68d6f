import {
  add,
  concat,
  greater,
  logarithm,
  multiply,
  noiseInput,
  reshape,
  scaleShift,
  sigmoid,
  slice,
  stopGradient,
  subtract,
} from '../graph/ops/index.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import type { AttendingBlock, TokenState } from '../models/block-loop.js'
import { linear } from '../nn/linear.js'
import { ones } from './bipartite.js'
import type { BlockDecisions, Decision } from './block-decisions.js'

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
export function drawnNoise(block: number, about: keyof BlockDecisions, shape: Tensor['shape']): Tensor {
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
export function decisionsOf(
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
export function workedOn(
  decisions: BlockDecisions,
  half: 0 | 1,
  { tokensSkipMlp }: AdaVitOptions,
): Tensor | undefined {
  const whole = halfOf(decisions, half)
  const tokens = half === 0 || tokensSkipMlp ? decisions.tokens?.taken : undefined
  return whole && tokens ? multiply(whole, tokens) : (whole ?? tokens)
}
