import { type Dim, minus, plus } from '../graph/dim.js'
import {
  argsort,
  compact,
  concat,
  cumulativeSum,
  gather,
  inverseOrder,
  less,
  padStart,
  reduceMax,
  reshape,
  scaleShift,
  slice,
  transpose,
} from '../graph/ops/index.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'

/**
 * The tokens of a model that routes, primary ones first: prefix, chosen patches, the other patches.
 * Attention and MLP don't care about the order of tokens (position is already added), so the tokens are
 * sorted once at each selection and every layer after it works on contiguous slices instead of gathering
 * and scattering. Both forms, joined and split, are made at most once and only when a layer asks for them.
 */
export interface Stream {
  /** `[batch, prefix + patches, width]` */
  readonly all: () => Tensor
  /** `[batch, prefix + kept, width]` */
  readonly primary: () => Tensor
  /** `[batch, patches − kept, width]` */
  readonly secondary: () => Tensor
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => {
    made ??= { value: make() }
    return made.value
  }
}

/** A stream from its two parts. */
export function joinedStream(primary: Tensor, secondary: Tensor): Stream {
  return {
    all: once(() => concat([primary, secondary], { axis: 1 })),
    primary: () => primary,
    secondary: () => secondary,
  }
}

/** A stream from all tokens in its order; `boundary` is where the secondary tokens begin. */
export function splitStream(all: Tensor, boundary: Dim): Stream {
  return {
    all: () => all,
    primary: once(() => slice(all, { axis: 1, end: boundary })),
    secondary: once(() => slice(all, { axis: 1, start: boundary })),
  }
}

/** What decides how many patches a selection chooses. */
export type Budget =
  /** As many of every picture. */
  | { readonly kept: Dim }
  /** Of each picture the fewest whose scores make up this share of all, 0 to 1. */
  | { readonly mass: number }

/** A stream before the first selection. */
export function unsplitStream(all: Tensor): Stream {
  return splitStream(all, sizeAt(all, 1))
}

/** Which patch stands where in the stream, since the last selection. */
export interface Route {
  /** Patch index at each place of the stream (prefix not counted). int64 `[batch, patches]` */
  readonly order: Tensor
  /** The inverse: place of each patch. int64 `[batch, patches]` */
  readonly place: Tensor
  /** Scores in the order of the stream. `[batch, patches]` */
  readonly scores: Tensor
  /** Scores in patch order. `[batch, patches]` */
  readonly patchScores: Tensor
  /** How many patches are primary: as many as the picture of the batch that chooses most. */
  readonly kept: Dim
  /**
   * Where pictures choose different numbers: 1 for each place of the stream that is chosen, 0 for patches that only fill up
   * a picture which chooses fewer. They take their place among the primary tokens and the updates of secondary ones, so that
   * no picture depends on its batch. `[batch, patches]`
   */
  readonly stays: Tensor | undefined
  /** 1 for each primary token that is chosen or prefix, 0 for filling; undefined as `stays`. `[batch, prefix + kept, 1]` */
  readonly real: Tensor | undefined
  /** s of the primary tokens, 0 for the prefix. `[batch, prefix + kept, 1]` */
  readonly gate: Tensor
}

/** Patches in two parts, those that are chosen first. */
interface Parts extends Pick<Route, 'kept' | 'stays'> {
  /** `[batch, kept, width]` */
  readonly chosen: Tensor
  /** `[batch, patches − kept, width]` */
  readonly others: Tensor
}

/**
 * @param scores of the patches from the highest on. `[batch, patches]`
 * @param order their indices, int64 `[batch, patches]` @param at the patches of some indices
 */
function partsOf(
  scores: Tensor,
  { order, at, budget }: { order: Tensor; at: (indices: Tensor) => Tensor; budget: Budget },
): Parts {
  if ('kept' in budget) {
    const { kept } = budget
    const sorted = at(order)
    const [chosen, others] = [slice(sorted, { axis: 1, end: kept }), slice(sorted, { axis: 1, start: kept })]
    return { kept, stays: undefined, chosen, others }
  }
  const patches = sizeAt(scores, 1)
  const sums = cumulativeSum(scores)
  const total = slice(sums, { axis: 1, start: minus(patches, 1) })
  // what those before it hold: the first always stays
  const before = padStart(slice(sums, { axis: 1, end: minus(patches, 1) }), { count: 1 })
  const stays = less(before, scaleShift(total, { scale: budget.mass }))
  const inAny = reshape(reduceMax(transpose(stays, [1, 0])), [patches])
  const front = transpose(compact(transpose(order, [1, 0]), inAny, { size: 'kept' }), [1, 0])
  const kept = sizeAt(front, 1)
  return { kept, stays, chosen: at(front), others: at(slice(order, { axis: 1, start: kept })) }
}

/**
 * Chooses the patches with the highest scores, equal scores by lower patch index, and sorts the stream primary first.
 * @param tokens all tokens in the order of `last`, or in patch order if there is no last route
 * @param scores of the patches, in the same order. `[batch, patches]`
 */
export function select(
  tokens: Tensor,
  scores: Tensor,
  { prefix, budget, last }: { prefix: number; budget: Budget; last: Route | undefined },
): { stream: Stream; route: Route } {
  // Ranking happens in patch order, whatever the stream's order is, so that ties go to the lower patch index.
  const patchScores = last ? gather(scores, last.place) : scores
  const order = argsort(patchScores)
  const sortedScores = gather(patchScores, order)
  const patches = slice(tokens, { axis: 1, start: prefix })
  const at = (indices: Tensor) => gather(patches, last ? gather(last.place, indices) : indices)
  const { kept, stays, chosen, others } = partsOf(sortedScores, { order, at, budget })
  const batch = sizeAt(tokens, 0)
  // padded with zeros: a constant of as many rows as the batch has would leave the GPU
  const primary = (x: Tensor) =>
    reshape(padStart(slice(x, { axis: 1, end: kept }), { count: prefix }), [batch, plus(kept, prefix), 1])
  const not = (x: Tensor) => scaleShift(x, { scale: -1, shift: 1 })
  return {
    stream: joinedStream(concat([slice(tokens, { axis: 1, end: prefix }), chosen], { axis: 1 }), others),
    route: {
      ...{ order, kept, stays, patchScores },
      place: inverseOrder(order),
      scores: sortedScores,
      real: stays && not(primary(not(stays))),
      gate: primary(sortedScores),
    },
  }
}

/** Puts the tokens of a stream back into patch order, prefix first. @returns `[batch, prefix + patches, width]` */
export function restoreOrder(tokens: Tensor, route: Route, { prefix }: { prefix: number }): Tensor {
  const patches = gather(slice(tokens, { axis: 1, start: prefix }), route.place)
  return concat([slice(tokens, { axis: 1, end: prefix }), patches], { axis: 1 })
}
