import { defined } from '../base/assert.js'
import { times } from '../graph/dim.js'
import {
  attentionMap,
  attention as attentionOp,
  concat,
  gather,
  mean,
  pad,
  pick,
  reshape,
  slice,
} from '../graph/ops/index.js'
import { atScope, currentScope, scope } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import { type AttentionView, mixedBy } from '../nn/attention.js'
import { forBatch } from '../nn/for-batch.js'
import { linear, packedLinear, widthOf } from '../nn/linear.js'
import {
  distanceTerms,
  type GridSides,
  placed,
  placeMarks,
  positionTables,
  vectorsOfDistances,
} from '../nn/relative-position.js'
import { type Neighbourhood, placesIn, sidesOf } from '../nn/windowed-attention.js'
import { withPaddingRow } from '../nn/windows.js'
import type { WindowKind } from './window-kinds.js'

/** Windows of one shape, and where in the stream what is left of them stands. */
export interface StreamKind extends WindowKind {
  /** How many tokens each of the windows has in the stream. */
  readonly count: number
  /** Where they stand in the stream, window by window. */
  readonly numbers: readonly number[]
}

/** Tokens that don't fill their grid any more: window by window, those of one kind one after the other. */
export interface WindowStream {
  readonly kinds: readonly StreamKind[]
  /**
   * The number in the grid of each token; those from `rows·columns` on stand nowhere, as sums of several tokens do, and each has
   * a number of its own. int64 `[batch, tokens]`
   */
  readonly places: Tensor
  /** How many numbers there are, of those that stand nowhere too, whether still in the stream or not. */
  readonly numbered: number
}

interface StreamAttention {
  readonly heads: number
  readonly qkvBias: boolean
  readonly neighbourhood: Neighbourhood
}

/** Tokens that see each other. */
interface Group {
  /** Where their windows' tokens stand in the stream, window by window. */
  readonly numbers: readonly number[]
  readonly windows: number
  readonly count: number
  /** Row and column in its window of each place outside of the grid. */
  readonly padding: readonly (readonly [number, number])[]
}

function groupsOf({ kinds }: WindowStream, { plan, grid }: Neighbourhood, tokens: number): readonly Group[] {
  if (!plan) {
    const numbers = Array.from({ length: tokens }, (_, at) => at)
    return [{ numbers, windows: 1, count: tokens, padding: [] }]
  }
  const { side } = plan
  return kinds.map(({ windows, tokens, count, numbers }) => {
    const own = new Set(
      defined(tokens[0], 'a window').map((token) => {
        return (Math.floor(token / grid.columns) % side) * side + ((token % grid.columns) % side)
      }),
    )
    const padding = Array.from({ length: side * side }, (_, place) => place)
      .filter((place) => !own.has(place))
      .map((place) => [Math.floor(place / side), place % side] as const)
    return { numbers, windows: windows.length, count, padding }
  })
}

/** Queries, keys and values of a stream, and what relative positions need of it. */
interface Projected extends Record<'q' | 'k' | 'v', Tensor> {
  readonly sides: GridSides
  /** Row and column of each token; behind the last one: nowhere. int64 `[batch, tokens]` */
  readonly positions: readonly [Tensor, Tensor]
  /** Products of queries with the vectors of their distances. `[batch, tokens, heads, rows + columns]` */
  readonly terms: Tensor
}

/** Built in the scope of the attention. @param normed `[batch, tokens, width]` */
function project(normed: Tensor, stream: WindowStream, options: StreamAttention): Projected {
  const { heads, qkvBias, neighbourhood } = options
  const { plan, learnedFor } = neighbourhood
  const [batch, width, sides] = [sizeAt(normed, 0), widthOf(normed), sidesOf(neighbourhood)]
  const padded = plan ? withPaddingRow(normed, plan) : normed
  const packed = packedLinear(
    'qkv',
    { q: normed, k: padded, v: padded },
    { width, out: width, bias: qkvBias },
  )
  const tables = positionTables(width / heads, defined(learnedFor, 'relative positions'))
  return scope('rel_pos', () => {
    const axis = (table: Tensor, side: number, places: readonly number[]) => {
      const known = [...places, ...new Array<number>(stream.numbered - places.length).fill(side)]
      const own = gather(forBatch(batch, known), stream.places)
      const vectors = vectorsOfDistances(table, { queries: side, keys: side })
      return {
        own,
        terms: distanceTerms(packed.q, own, { heads, vectors: pad(vectors, { axis: 0, after: 1 }) }),
      }
    }
    const [rowPlaces, columnPlaces] = placesIn(neighbourhood)
    const rows = axis(tables.rows, sides.rows, rowPlaces)
    const columns = axis(tables.columns, sides.columns, columnPlaces)
    const terms = concat([rows.terms, columns.terms], { axis: 3 })
    return { ...packed, sides, terms, positions: [rows.own, columns.own] }
  })
}

/** What tokens that see each other meet by: queries and keys whose products are scores, and values. `[batch·windows, …]` */
function meet(
  { q, k, v, terms, positions, sides }: Projected,
  { numbers, windows, count, padding }: Group,
  { heads }: StreamAttention,
): Readonly<Record<'q' | 'k' | 'v', Tensor>> {
  const [batch, tokens, width] = [sizeAt(q, 0), Number(sizeAt(q, 1)), widthOf(q)]
  const [stacks, keys] = [times(batch, windows), count + padding.length]
  // one row behind the tokens stands for all places outside of the grid
  const withPadding = Array.from({ length: windows }, (_, window) => [
    ...numbers.slice(window * count, (window + 1) * count),
    ...padding.map(() => tokens),
  ]).flat()
  const own = (x: Tensor) => reshape(pick(x, numbers, { axis: 1 }), [stacks, count, ...x.shape.slice(2)])
  const ofKeys = (x: Tensor) => reshape(pick(x, withPadding, { axis: 1 }), [stacks, keys, width])
  const placesOfKeys = (axis: 0 | 1) => {
    const inStream = own(positions[axis])
    const outside = padding.map((place) => place[axis])
    return outside.length === 0 ? inStream : concat([inStream, forBatch(stacks, outside)], { axis: 1 })
  }
  return scope('rel_pos', () => {
    const marks = placeMarks([placesOfKeys(0), placesOfKeys(1)], sides)
    return { ...placed({ q: own(q), k: ofKeys(k) }, { terms: own(terms), marks, heads }), v: ofKeys(v) }
  })
}

/**
 * SAM's attention among tokens that have left their grid: those of a window see each other and the places of it that lie
 * outside of the grid, whose keys and values are their biases; without windows all see each other. Relative positions are those
 * of the places where tokens stood; a token that stands nowhere has none (spec §6.4).
 * @param normed `[batch, tokens, width]`
 * @returns a view that is asked for its output, and for what tokens receive
 */
export function streamAttention(
  normed: Tensor,
  stream: WindowStream,
  options: StreamAttention,
): AttentionView {
  const { heads } = options
  const [batch, width] = [sizeAt(normed, 0), widthOf(normed)]
  const here = currentScope()
  const inAttention = <Value>(build: () => Value) => atScope(here, () => scope('attn', build))
  const groups = groupsOf(stream, options.neighbourhood, Number(sizeAt(normed, 1)))
  const projected = inAttention(() => project(normed, stream, options))
  const met = inAttention(() => groups.map((group) => ({ ...group, ...meet(projected, group, options) })))
  let maps: readonly Tensor[] | undefined
  return {
    ...{ q: projected.q, k: projected.k, v: projected.v, heads },
    ...{ map: noMap, outputOf: noMap, mix: noMap, clsRow: noMap },
    output: () =>
      inAttention(() => {
        const mixed = met.map(({ q, k, v, windows, count }, group) => {
          // a map that somebody asked for already is half of the way
          const map = maps?.[group]
          const own = map ? mixedBy(map, v, heads) : attentionOp(q, k, v, { heads, scale: 1 })
          return reshape(own, [batch, windows * count, width])
        })
        return linear('proj', concat(mixed, { axis: 1 }), { out: width })
      }),
    received: () =>
      inAttention(() => {
        maps ??= met.map(({ q, k }) => attentionMap(q, k, { heads, scale: 1 }))
        const ofGroups = maps.map((map, group) => {
          const { windows, count } = defined(groups[group], 'a group')
          const means = reshape(mean(map, { axes: [1, 2] }), [times(batch, windows), sizeAt(map, 3)])
          return reshape(slice(means, { axis: 1, end: count }), [batch, windows * count])
        })
        return concat(ofGroups, { axis: 1 })
      }),
  }
}

function noMap(): never {
  throw new Error(
    'blvit bug: tokens that have left their grid see each other in groups, which have no map in common',
  )
}
