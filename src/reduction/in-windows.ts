import { defined } from '../base/assert.js'
import { times } from '../graph/dim.js'
import { argsort, concat, gather, inverseOrder, matmul, pick, reshape, slice } from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import type { BlockHooks, TokenState } from '../models/block-loop.js'
import type { ReduceEvent } from '../models/token-history.js'
import { type TokenWindows, tokensOf, windowKinds } from '../models/window-kinds.js'
import type { StreamKind, WindowStream } from '../models/window-stream.js'
import { forBatch } from '../nn/for-batch.js'
import { widthOf } from '../nn/linear.js'

/** What methods share that let tokens go window by window (SAM, spec §6.4): each chooses among its own, equally many in windows of one shape. */

/** Numbers from `start` on. */
function upFrom(start: number, count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => start + at)
}

/** Where tokens stand, also while all of them are in their grid. */
export function streamOf({ tokens, stream }: TokenState, { plan }: TokenWindows): WindowStream {
  if (stream) return stream
  const count = plan.rows * plan.columns
  return {
    kinds: windowKinds(plan).map((kind) => ({ ...kind, count: tokensOf(kind), numbers: kind.tokens.flat() })),
    places: forBatch(sizeAt(tokens, 0), upFrom(0, count)),
    numbered: count,
  }
}

/** What a window keeps of its tokens. */
export interface KeepingKind {
  readonly kind: StreamKind
  readonly kept: number
}

/** The windows of one kind after a choice: where tokens stand in the stream, the best first, window by window. */
interface Choice extends KeepingKind {
  /** int64 `[batch, windows·kept]` */
  readonly chosen: Tensor
  /** int64 `[batch, windows·(count − kept)]`; undefined: all are chosen. */
  readonly rest: Tensor | undefined
}

/** The tokens of the highest scores of each window, equal ones by lower index. @param scores `[batch, tokens]` */
export function chooseInEach(scores: Tensor, keeping: readonly KeepingKind[]): readonly Choice[] {
  const batch = sizeAt(scores, 0)
  return keeping.map(({ kind, kept }) => {
    const { windows, count, numbers } = kind
    const stacks = times(batch, windows.length)
    const order = argsort(reshape(pick(scores, numbers, { axis: 1 }), [stacks, count]))
    const sorted = gather(reshape(forBatch(batch, numbers), [stacks, count]), order)
    const part = (start: number, end: number) =>
      reshape(slice(sorted, { axis: 1, start, end }), [batch, windows.length * (end - start)])
    return { kind, kept, chosen: part(0, kept), rest: kept < count ? part(kept, count) : undefined }
  })
}

/** The kinds of a stream in which each window has so many tokens, those of a kind one after the other. */
export function kindsInOrder(counts: readonly { kind: StreamKind; count: number }[]): readonly StreamKind[] {
  let start = 0
  return counts.map(({ kind, count }) => {
    const length = kind.windows.length * count
    const numbers = upFrom(start, length)
    start += length
    return { ...kind, count, numbers }
  })
}

/** All tensors one behind the other. `[batch, tokens]` or with channels */
export function joinTokens(parts: readonly (Tensor | undefined)[]): Tensor {
  return concat(
    parts.flatMap((part) => part ?? []),
    { axis: 1 },
  )
}

/** Σ s·x of what each window lets go. @returns `[batch, windows, width]` */
function fusedOf({ tokens }: TokenState, scores: Tensor, { kind, kept }: Choice, rest: Tensor): Tensor {
  const [batch, windows] = [sizeAt(tokens, 0), kind.windows.length]
  const [stacks, count] = [times(batch, windows), kind.count - kept]
  const values = reshape(gather(tokens, rest), [stacks, count, widthOf(tokens)])
  const weights = reshape(gather(scores, rest), [stacks, 1, count])
  return scope('fuse', () => reshape(matmul(weights, values), [batch, windows, widthOf(tokens)]))
}

/** Each window's own tokens, and behind them the one that its others became. */
function withFused(chosen: Tensor, fused: Tensor, { kind, kept }: Choice): Tensor {
  const [batch, windows, ...rest] = [sizeAt(chosen, 0), kind.windows.length, ...chosen.shape.slice(2)]
  const own = reshape(chosen, [batch, windows, kept, ...rest])
  const both = concat([own, reshape(fused, [batch, windows, 1, ...rest])], { axis: 2 })
  return reshape(both, [batch, windows * (kept + 1), ...rest])
}

/**
 * Goes on with what each window keeps, and puts the others aside as they are for {@link backInGrid}.
 * @param scores of all tokens. `[batch, tokens]`
 * @param options `fuse`: whether those that a window lets go become one token more, their sum weighted by score
 */
export function keepInEach(
  state: TokenState,
  scores: Tensor,
  {
    layer,
    windows,
    keeping,
    fuse,
  }: { layer: number; windows: TokenWindows; keeping: readonly KeepingKind[]; fuse: boolean },
): TokenState {
  const { places, numbered } = streamOf(state, windows)
  const batch = sizeAt(state.tokens, 0)
  const choices = chooseInEach(scores, keeping)
  let next = numbered
  const parts = choices.map((choice) => {
    const own = { tokens: gather(state.tokens, choice.chosen), places: gather(places, choice.chosen) }
    if (!fuse || !choice.rest) return own
    const count = choice.kind.windows.length
    const nowhere = forBatch(batch, upFrom(next, count))
    next += count
    return {
      tokens: withFused(own.tokens, fusedOf(state, scores, choice, choice.rest), choice),
      places: withFused(own.places, nowhere, choice),
    }
  })
  const rest = joinTokens(choices.map((choice) => choice.rest))
  const { gone, gonePlaces, ...aside } = state.aside ?? {}
  const kinds = kindsInOrder(
    choices.map(({ kind, kept, rest }) => ({ kind, count: kept + Number(fuse && rest !== undefined) })),
  )
  return {
    ...state,
    tokens: joinTokens(parts.map((part) => part.tokens)),
    stream: { kinds, places: joinTokens(parts.map((part) => part.places)), numbered: next },
    aside: {
      ...aside,
      gone: joinTokens([gone, gather(state.tokens, rest)]),
      gonePlaces: joinTokens([gonePlaces, gather(places, rest)]),
    },
    history: [...state.history, reduceEvent(scores, choices, { layer, kinds, fuse, prefix: state.prefix })],
  }
}

/** Where tokens went: kept ones first, window by window. */
function reduceEvent(
  scores: Tensor,
  choices: readonly Choice[],
  {
    layer,
    kinds,
    fuse,
    prefix,
  }: { layer: number; kinds: readonly StreamKind[]; fuse: boolean; prefix: number },
): ReduceEvent {
  const order = joinTokens([...choices.map(({ chosen }) => chosen), ...choices.map(({ rest }) => rest)])
  // of each token in that order the token after it that it is, or is part of
  const kept: number[] = []
  const others: number[] = []
  const fused: number[] = []
  for (const [at, { kind, kept: stay }] of choices.entries()) {
    const { count, numbers } = defined(kinds[at], 'a kind')
    for (let window = 0; window < kind.windows.length; window++) {
      const first = defined(numbers[window * count], 'a token')
      for (let token = 0; token < stay; token++) kept.push(first + token)
      const sum = stay < count ? first + stay : -1
      if (sum >= 0) fused.push(sum)
      for (let token = stay; token < kind.count; token++) others.push(fuse ? sum : -1)
    }
  }
  const became = [...kept, ...others]
  return {
    kind: 'reduce',
    layer,
    tokensAfter: prefix + kinds.reduce((sum, { numbers }) => sum + numbers.length, 0),
    fused: fused.map((token) => prefix + token),
    tensors: { scores, order },
    assignment: ({ order = [] }) => {
      const after = upFrom(0, prefix + order.length).slice()
      order.forEach((token, at) => {
        const into = became[at] ?? -1
        after[prefix + token] = into < 0 ? -1 : prefix + into
      })
      return after
    },
  }
}

/** Tokens in the order of their grid again. @param places int64 `[batch, tokens]`, each number once */
export function inOrderOf(places: Tensor, tokens: Tensor): Tensor {
  return gather(tokens, inverseOrder(places))
}

/** All tokens at their places in the grid: those that went as they were when they went. */
export const backInGrid: NonNullable<BlockHooks['pool']> = ({ stream, ...state }) => {
  if (!stream) return undefined
  const { gone, gonePlaces, ...aside } = state.aside ?? {}
  const places = joinTokens([stream.places, gonePlaces])
  const ordered = inOrderOf(places, joinTokens([state.tokens, gone]))
  // sums of others stand behind the grid
  const count = stream.kinds.reduce((sum, { tokens }) => sum + tokens.flat().length, 0)
  return { ...state, aside, tokens: slice(ordered, { axis: 1, end: count }) }
}

/** Attention whose map is looked at: asked for first, the output is mixed by it and nothing is computed twice. */
export const lookedAt: NonNullable<BlockHooks['attend']> = (view) => {
  view.received()
  return { output: view.output() }
}
