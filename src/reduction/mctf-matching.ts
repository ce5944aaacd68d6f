import type { Dim } from '../graph/dim.js'
import {
  argmax,
  argsort,
  concat,
  gather,
  inverseOrder,
  reduceMax,
  reshape,
  slice,
  sort,
  transpose,
} from '../graph/ops/index.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import type { TokenState } from '../models/block-loop.js'
import type { ReduceEvent } from '../models/token-history.js'
import { placeOfDestination, placeOfSource } from './bipartite.js'
import { indices, type Joining } from './joining.js'
import { candidatesOf } from './keep-best.js'

/** MCTF's bidirectional bipartite matching (§3.3): the pairs that merge, found from both halves of the patches. */

/** Which tokens merge into which. Sources and destinations are the two halves of the patches. */
export interface Fusion {
  /** Sources that become part of destinations, the most attractive pairs first. int64 `[batch, r₁]`, with their partners */
  readonly forward: { readonly merged: Tensor; readonly into: Tensor } | undefined
  /** The other sources, ascending; undefined: all. int64 `[batch, sources − r₁]` */
  readonly left: Tensor | undefined
  /** Destinations that become part of those, and the places of these among them. int64 `[batch, r₂]` */
  readonly backward: { readonly merged: Tensor; readonly into: Tensor; readonly left: Tensor } | undefined
}

/** The rows that have the most attractive partner: which, with whom, and the others in the order of attraction. */
function mostAttracted(attraction: Tensor, r: number) {
  const strongest = reshape(reduceMax(attraction), [sizeAt(attraction, 0), sizeAt(attraction, 1)])
  const order = argsort(strongest)
  const merged = slice(order, { axis: 1, end: r })
  const others = slice(order, { axis: 1, start: r })
  return { merged, into: gather(argmax(attraction), merged), others }
}

/** @param attraction W of the paper. `[batch, sources, destinations]` */
export function match(
  attraction: Tensor,
  { forward, backward }: { forward: number; backward: number },
): Fusion {
  const first = forward > 0 ? mostAttracted(attraction, forward) : undefined
  const left = first && sort(first.others)
  if (backward === 0) return { forward: first, left, backward: undefined }
  // [batch, destinations, sources that are left]
  const remaining = transpose(left ? gather(attraction, left) : attraction, [0, 2, 1])
  const { others, ...second } = mostAttracted(remaining, backward)
  return { forward: first, left, backward: { ...second, left: others } }
}

/**
 * The pairs that merge, among all tokens. Those that are left are the prefix, the sources that are, and the destinations; a
 * source may become part of a destination that becomes part of another source.
 */
export function joiningOf(
  { forward, left, backward }: Fusion,
  {
    batch,
    prefix,
    sources,
    destinations,
  }: { batch: Dim; prefix: number; sources: number; destinations: number },
): Joining {
  const row = (parts: readonly (Tensor | undefined)[]) =>
    concat(
      parts.filter((part) => part !== undefined),
      { axis: 1 },
    )
  const sourcePlaces = indices(batch, sources, (source) => placeOfSource(prefix, source))
  const destinationPlaces = indices(batch, destinations, (place) => placeOfDestination(prefix, place))
  const sourcesLeft = left ? Number(sizeAt(left, 1)) : sources
  const before = prefix > 0 ? indices(batch, prefix, (token) => token) : undefined
  const stay = row([
    before,
    left ? gather(sourcePlaces, left) : sourcePlaces,
    backward ? gather(destinationPlaces, backward.left) : destinationPlaces,
  ])
  const gone = row([
    forward && gather(sourcePlaces, forward.merged),
    backward && gather(destinationPlaces, backward.merged),
  ])
  const backInto =
    backward &&
    gather(
      indices(batch, sourcesLeft, (place) => prefix + place),
      backward.into,
    )
  // where each destination, or what it becomes part of, stands then
  const stand = indices(
    batch,
    destinations - (backInto ? Number(sizeAt(backInto, 1)) : 0),
    (place) => prefix + sourcesLeft + place,
  )
  const afterwards = backward
    ? gather(row([stand, backInto]), inverseOrder(row([backward.left, backward.merged])))
    : stand
  return { stay, gone, into: row([forward && gather(afterwards, forward.into), backInto]) }
}

/** How many of the patches may become part of others of the other half. */
function sourcesOf(state: TokenState): number {
  const patches = candidatesOf(state)
  // behind an odd prefix the first patch is a destination
  return state.prefix % 2 === 0 ? Math.ceil(patches / 2) : Math.floor(patches / 2)
}

export function eventOf(
  state: TokenState,
  { forward, left, backward }: Fusion,
  { going, layer }: { going: number; layer: number },
): ReduceEvent {
  const { prefix } = state
  const candidates = candidatesOf(state)
  return {
    kind: 'reduce',
    layer,
    tokensAfter: prefix + candidates - going,
    tensors: {
      ...(forward && { merged: forward.merged, into: forward.into }),
      left: left ?? indices(sizeAt(state.tokens, 0), sourcesOf(state), (source) => source),
      ...(backward && { backMerged: backward.merged, backInto: backward.into, backLeft: backward.left }),
    },
    assignment: ({ merged = [], into = [], left = [], backMerged = [], backInto = [], backLeft }) => {
      const after = Array.from({ length: prefix + candidates }, (_, token) => token)
      const placeAfter = new Array<number>(candidates - sourcesOf(state)).fill(-1)
      const stay = backLeft ?? placeAfter.map((_, destination) => destination)
      stay.forEach((destination, place) => {
        placeAfter[destination] = prefix + left.length + place
      })
      backMerged.forEach((destination, i) => {
        placeAfter[destination] = prefix + (backInto[i] ?? -1)
      })
      placeAfter.forEach((place, destination) => {
        after[placeOfDestination(prefix, destination)] = place
      })
      left.forEach((source, place) => {
        after[placeOfSource(prefix, source)] = prefix + place
      })
      merged.forEach((source, i) => {
        after[placeOfSource(prefix, source)] = placeAfter[into[i] ?? -1] ?? -1
      })
      return after
    },
  }
}
