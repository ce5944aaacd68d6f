import { type Dim, plus } from '../graph/dim.js'
import { argsort, concat, gather, inverseOrder, padStart, reshape, slice } from '../graph/ops/index.js'
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
  /** s of the primary tokens, 0 for the prefix. `[batch, prefix + kept, 1]` */
  readonly gate: Tensor
}

/**
 * Chooses the `kept` patches with the highest scores, equal scores by lower patch index, and sorts the
 * stream primary first.
 * @param tokens all tokens in the order of `last`, or in patch order if there is no last route
 * @param scores of the patches, in the same order. `[batch, patches]`
 */
export function select(
  tokens: Tensor,
  scores: Tensor,
  { prefix, kept, last }: { prefix: number; kept: Dim; last: Route | undefined },
): { stream: Stream; route: Route } {
  // Ranking happens in patch order, whatever the stream's order is, so that ties go to the lower patch index.
  const patchScores = last ? gather(scores, last.place) : scores
  const order = argsort(patchScores)
  const patches = slice(tokens, { axis: 1, start: prefix })
  const sorted = gather(patches, last ? gather(last.place, order) : order)
  const sortedScores = gather(patchScores, order)
  const gate = padStart(slice(sortedScores, { axis: 1, end: kept }), { count: prefix })
  return {
    stream: joinedStream(
      concat([slice(tokens, { axis: 1, end: prefix }), slice(sorted, { axis: 1, end: kept })], { axis: 1 }),
      slice(sorted, { axis: 1, start: kept }),
    ),
    route: {
      order,
      place: inverseOrder(order),
      scores: sortedScores,
      patchScores,
      gate: reshape(gate, [sizeAt(tokens, 0), plus(kept, prefix), 1]),
    },
  }
}

/** Puts the tokens of a stream back into patch order, prefix first. @returns `[batch, prefix + patches, width]` */
export function restoreOrder(tokens: Tensor, route: Route, { prefix }: { prefix: number }): Tensor {
  const patches = gather(slice(tokens, { axis: 1, start: prefix }), route.place)
  return concat([slice(tokens, { axis: 1, end: prefix }), patches], { axis: 1 })
}
