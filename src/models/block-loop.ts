import { assert } from '../base/assert.js'
import { add } from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import type { Tensor } from '../graph/tensor.js'
import { type AttentionView, attention } from '../nn/attention.js'
import { layerNorm } from '../nn/layer-norm.js'
import { layerScale } from '../nn/layer-scale.js'
import { mlp } from '../nn/mlp.js'
import { dropPath } from '../nn/stochastic-depth.js'
import type { OwnTraining } from './own-training.js'
import type { TokenEvent } from './token-history.js'
import { mlpWidth, prefixCount, type VitShape } from './vit-config.js'
import type { WindowStream } from './window-stream.js'

/** The tokens on their way through the blocks. Immutable: a hook that changes something gives a new one. */
export interface TokenState {
  /** Prefix tokens first. `[batch, tokens, width]` */
  readonly tokens: Tensor
  /** Tokens before the patches. */
  readonly prefix: number
  /** How many of the first tokens each stands for; undefined while all stand for themselves. `[batch, tokens]` */
  readonly size?: Tensor
  /**
   * 1 for tokens that take part, 0 for others, which nobody looks at: rows that fill up a picture of fewer tokens than
   * another of its batch, or tokens that are kept though they are let go. Undefined: all take part. `[batch, tokens]`
   */
  readonly mask?: Tensor
  /** Of a model whose tokens look around in windows: where they stand since some of them went. */
  readonly stream?: WindowStream | undefined
  /** What a method carries from block to block beside the tokens, by names of its own. */
  readonly aside?: Readonly<Record<string, Tensor>>
  /** What a method wants to be learned. */
  readonly training?: OwnTraining
  /** What happened so far, in order. */
  readonly history: readonly TokenEvent[]
}

/** A block after its attention half. */
export interface HalfBlock {
  /** Counted from 1. */
  readonly layer: number
  /** `[batch, tokens, width]` */
  readonly input: Tensor
  readonly attention: AttentionView
  /** What the attention half adds. */
  readonly attentionUpdate: Tensor
}

/** A block after both halves. */
export interface WholeBlock extends HalfBlock {
  /** The tokens that the MLP half began with. `[batch, tokens, width]` */
  readonly middle: Tensor
  /** What the MLP half adds. */
  readonly mlpUpdate: Tensor
}

/** A block whose attention is asked for. */
export interface AttendingBlock {
  /** Counted from 1. */
  readonly layer: number
  /**
   * The block's attention on other tokens than those that came, its norm before it.
   * @param tokens `[batch, any, width]` @param only some of its heads: int64 `[1, some]`
   */
  readonly attentionOn: (tokens: Tensor, only?: Tensor) => AttentionView
  /** What attention reads of tokens. */
  readonly norm: (tokens: Tensor) => Tensor
}

/** A block whose MLP is asked for. */
export interface FeedingBlock {
  /** Counted from 1. */
  readonly layer: number
  /**
   * The block's MLP half on other tokens than those that came, its norm before it.
   * @param tokens `[batch, any, width]` @param normed changes what the norm gave
   */
  readonly mlpOn: (tokens: Tensor, normed?: (x: Tensor) => Tensor) => Tensor
}

/** What a hook says of the attention half. */
export interface Attended {
  /** In place of the plain {@link AttentionView.output}. `[batch, rows, width]` */
  readonly output: Tensor
  /** What it is added to, if not the tokens that came: as many tokens as the output has rows. */
  readonly state?: TokenState
}

/**
 * Where methods, teachers and traces take hold of the block loop; all optional. A hook that only looks returns
 * nothing. What it builds stands in the scope of the block that it is called from.
 */
export interface BlockHooks {
  /** Inputs of the graph that they ask for beside the pictures, by name; all pictures of a run share them. */
  readonly inputs?: readonly string[]
  /** Before the first block. */
  readonly start?: (state: TokenState) => TokenState | undefined
  /** Before a block's first norm. */
  readonly before?: (state: TokenState, layer: number) => TokenState | undefined
  /** What a block's first or second norm gave, before attention or MLP reads it. @param x `[batch, tokens, width]` */
  readonly normed?: (x: Tensor, state: TokenState) => Tensor | undefined
  /** Instead of plain attention. */
  readonly attend?: (view: AttentionView, state: TokenState, block: AttendingBlock) => Attended | undefined
  /** After the attention half's residual, before the second norm: where EViT and ToMe reduce. */
  readonly between?: (state: TokenState, block: HalfBlock) => TokenState | undefined
  /** Instead of the plain MLP half: what it adds. `[batch, tokens, width]` */
  readonly feed?: (state: TokenState, block: FeedingBlock) => Tensor | undefined
  /** After the block. */
  readonly after?: (state: TokenState, block: WholeBlock) => TokenState | undefined
  /** After the last block: what the final norm and the heads read. */
  readonly pool?: (state: TokenState) => TokenState | undefined
  /** In place of these while the model learns, where a method then does otherwise: it masks what it lets go in a run. */
  readonly training?: BlockHooks
}

/** What some hooks do while the model learns. */
export function trainingHooks(hooks: BlockHooks): BlockHooks {
  return hooks.training ?? hooks
}

/** Several hooks as one, each on what the ones before it left; only one of them can replace attention. */
export function composeHooks(...all: readonly BlockHooks[]): BlockHooks {
  const learnOtherwise = all.some(({ training }) => training !== undefined)
  return {
    ...(learnOtherwise && { training: composeHooks(...all.map(trainingHooks)) }),
    inputs: all.flatMap(({ inputs = [] }) => inputs),
    start: (first) => all.reduce((state, hooks) => hooks.start?.(state) ?? state, first),
    before: (first, layer) => all.reduce((state, hooks) => hooks.before?.(state, layer) ?? state, first),
    normed: (first, state) => all.reduce((x, hooks) => hooks.normed?.(x, state) ?? x, first),
    attend: (view, state, block) => {
      const attended = all.flatMap((hooks) => hooks.attend?.(view, state, block) ?? [])
      assert(attended.length <= 1, `several hooks replace the attention of layer ${block.layer}`)
      return attended[0]
    },
    between: (first, block) => all.reduce((state, hooks) => hooks.between?.(state, block) ?? state, first),
    feed: (state, block) => {
      const fed = all.flatMap((hooks) => hooks.feed?.(state, block) ?? [])
      assert(fed.length <= 1, `several hooks replace the MLP of layer ${block.layer}`)
      return fed[0]
    },
    after: (first, block) => all.reduce((state, hooks) => hooks.after?.(state, block) ?? state, first),
    pool: (first) => all.reduce((state, hooks) => hooks.pool?.(state) ?? state, first),
  }
}

/** The halves of a block where they aren't a plain ViT's. */
export interface BlockParts {
  /**
   * The attention of a layer, in the block's scope; default: {@link blockAttention}.
   * @param normed the tokens after the first norm @param layer counted from 1
   */
  readonly attention?: (normed: Tensor, state: TokenState, layer: number) => AttentionView
  /** What the MLP's two maps are called. Default: as timm calls them. */
  readonly mlpNames?: readonly [string, string]
}

/** The attention of a plain block under its switches. @param tokens queries and keys after their norm */
export function blockAttention(
  tokens: { queries: Tensor; keys: Tensor },
  config: VitShape,
  only?: Tensor,
): AttentionView {
  const { heads, qkvBias, projBias, qkNorm, layerNormEpsilon } = config
  const qkNormEpsilon = qkNorm ? layerNormEpsilon : undefined
  return attention('attn', tokens, { heads, qkvBias, projBias, qkNormEpsilon, only })
}

/**
 * The MLP half of a plain block under its switches, its norm included.
 * @param x `[batch, tokens, width]` @param options `normed` changes what the norm gave
 */
export function blockMlp(
  x: Tensor,
  config: VitShape,
  {
    normed = (given) => given,
    names,
  }: { normed?: (given: Tensor) => Tensor; names?: BlockParts['mlpNames'] | undefined } = {},
): Tensor {
  const { layerNormEpsilon: epsilon, activation, projBias: bias } = config
  const read = normed(layerNorm('norm2', x, { epsilon }))
  const maps = { hidden: mlpWidth(config), activation, bias, ...(names && { names }) }
  return layerScale('ls2', mlp('mlp', read, maps), config.layerScale)
}

/**
 * A plain pre-norm block in the current scope.
 * @param layer counted from 1
 * @returns the tokens after it, and its attention for who wants to look
 */
export function plainBlock(
  state: TokenState,
  layer: number,
  config: VitShape,
  { hooks = {}, parts = {} }: { hooks?: BlockHooks | undefined; parts?: BlockParts | undefined } = {},
): { state: TokenState; attention: AttentionView } {
  const epsilon = config.layerNormEpsilon
  const came = hooks.before?.(state, layer) ?? state
  const changed = (state: TokenState) => (x: Tensor) => hooks.normed?.(x, state) ?? x
  const norm = (tokens: Tensor) => changed(came)(layerNorm('norm1', tokens, { epsilon }))
  const attentionOn = (tokens: Tensor, only?: Tensor) => {
    const normed = norm(tokens)
    assert(!(only && parts.attention), 'some heads of an attention that is not a plain one')
    return (
      parts.attention?.(normed, came, layer) ??
      blockAttention({ queries: normed, keys: normed }, config, only)
    )
  }
  const view = attentionOn(came.tokens)
  const attended = hooks.attend?.(view, came, { layer, attentionOn, norm })
  const rest = attended?.state ?? came
  const meeting = came.mask ? { keyMask: came.mask } : {}
  const attentionOutput = layerScale('ls1', attended?.output ?? view.output(meeting), config.layerScale)
  const attentionUpdate = dropPath('attention', attentionOutput)
  const half = { layer, input: rest.tokens, attention: view, attentionUpdate }
  const met = { ...rest, tokens: add(rest.tokens, attentionUpdate) }
  const middle = hooks.between?.(met, half) ?? met
  const mlpOn = (tokens: Tensor, normed = changed(middle)) =>
    blockMlp(tokens, config, { normed, names: parts.mlpNames })
  const mlpOutput = hooks.feed?.(middle, { layer, mlpOn }) ?? mlpOn(middle.tokens)
  const mlpUpdate = dropPath('mlp', mlpOutput)
  const left = { ...middle, tokens: add(middle.tokens, mlpUpdate) }
  const after = hooks.after?.(left, { ...half, middle: middle.tokens, mlpUpdate }) ?? left
  return { state: after, attention: view }
}

/**
 * The plain block loop, the only one there is: `depth` equal blocks on all tokens, in scopes `blocks.0`, ….
 * @param tokens after the stem, prefix first. `[batch, tokens, width]`
 */
export function blockLoop(
  tokens: Tensor,
  config: VitShape,
  hooks: BlockHooks = {},
  parts: BlockParts = {},
): TokenState {
  const stem: TokenState = { tokens, prefix: prefixCount(config), history: [] }
  let state = hooks.start?.(stem) ?? stem
  for (let layer = 1; layer <= config.depth; layer++) {
    state = scope(`blocks.${layer - 1}`, () => plainBlock(state, layer, config, { hooks, parts }).state)
  }
  return hooks.pool?.(state) ?? state
}
