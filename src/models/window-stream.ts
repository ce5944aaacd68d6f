import { defined } from '../base/assert.js'
import { times } from '../graph/dim.js'
import {
  attentionMap,
  attention as attentionOp,
  concat,
  expand,
  gather,
  matmul,
  mean,
  oneHot,
  pad,
  pick,
  reshape,
  slice,
  table,
  transpose,
} from '../graph/ops/index.js'
import { atScope, currentScope, scope } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import { type AttentionView, mixedBy } from '../nn/attention.js'
import { linear, packedLinear, widthOf } from '../nn/linear.js'
import { distanceTerms, positionTables, vectorsOfDistances } from '../nn/relative-position.js'
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

export interface StreamAttention {
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
  { heads, qkvBias, neighbourhood }: StreamAttention,
): AttentionView {
  const width = widthOf(normed)
  const [batch, tokens] = [sizeAt(normed, 0), Number(sizeAt(normed, 1))]
  const { plan, learnedFor } = neighbourhood
  const sides = sidesOf(neighbourhood)
  const here = currentScope()
  const inAttention = <Value>(build: () => Value) => atScope(here, () => scope('attn', build))
  const groups = groupsOf(stream, neighbourhood, tokens)
  const { q, k, v, terms, positions } = inAttention(() => {
    const padded = plan ? withPaddingRow(normed, plan) : normed
    const packed = packedLinear(
      'qkv',
      { q: normed, k: padded, v: padded },
      { width, out: width, bias: qkvBias },
    )
    const tables = positionTables(width / heads, defined(learnedFor, 'relative positions'))
    return scope('rel_pos', () => {
      const axes = placesIn(neighbourhood).map((places, axis) => {
        const side = axis === 0 ? sides.rows : sides.columns
        // what stands nowhere is behind the last row or column
        const known = [...places, ...new Array<number>(stream.numbered - places.length).fill(side)]
        const all = expand(table(known, [1, known.length], { dtype: 'int64' }), [batch, known.length])
        const own = gather(all, stream.places)
        const vectors = vectorsOfDistances(axis === 0 ? tables.rows : tables.columns, {
          queries: side,
          keys: side,
        })
        return {
          own,
          terms: distanceTerms(packed.q, own, { heads, vectors: pad(vectors, { axis: 0, after: 1 }) }),
        }
      })
      return {
        ...packed,
        // [batch, tokens, heads, rows + columns]
        terms: concat(
          axes.map((axis) => axis.terms),
          { axis: 3 },
        ),
        positions: axes.map((axis) => axis.own),
      }
    })
  })
  const meetingOf = ({ numbers, windows, count, padding }: Group) => {
    const stacks = times(batch, windows)
    const keys = count + padding.length
    const withPadding = Array.from({ length: windows }, (_, window) => [
      ...numbers.slice(window * count, (window + 1) * count),
      ...padding.map(() => tokens),
    ]).flat()
    const own = (x: Tensor) => reshape(pick(x, numbers, { axis: 1 }), [stacks, count, width])
    const ofKeys = (x: Tensor) => reshape(pick(x, withPadding, { axis: 1 }), [stacks, keys, width])
    const bias = scope('rel_pos', () => {
      const marks = [sides.rows, sides.columns].map((side, axis) => {
        const of = defined(positions[axis], 'positions')
        const inStream = reshape(pick(of, numbers, { axis: 1 }), [stacks, count])
        const outside = table(
          padding.map((place) => place[axis] ?? 0),
          [1, padding.length],
          { dtype: 'int64' },
        )
        const all =
          padding.length === 0
            ? inStream
            : concat([inStream, expand(outside, [stacks, padding.length])], { axis: 1 })
        // what stands nowhere has no mark
        return slice(oneHot(all, { classes: side + 1 }), { axis: 2, end: side })
      })
      const both = sides.rows + sides.columns
      const mine = reshape(pick(terms, numbers, { axis: 1 }), [stacks, count, heads, both])
      const rows = reshape(transpose(mine, [0, 2, 1, 3]), [stacks, heads * count, both])
      const products = matmul(rows, concat(marks, { axis: 2 }), { transposeB: true })
      return reshape(products, [stacks, heads, count, keys])
    })
    return { q: own(q), k: ofKeys(k), v: ofKeys(v), bias, windows, count }
  }
  let made: readonly ReturnType<typeof meetingOf>[] | undefined
  const meetings = () => {
    made ??= inAttention(() => groups.map(meetingOf))
    return made
  }
  let maps: readonly Tensor[] | undefined
  const mapsOf = () => {
    maps ??= inAttention(() => meetings().map(({ q, k, bias }) => attentionMap(q, k, { heads, bias })))
    return maps
  }
  return {
    ...{ q, k, v, heads, map: noMap, outputOf: noMap, mix: noMap, clsRow: noMap },
    output: () => {
      // maps that somebody asked for already are half of the way
      const shown = maps
      return inAttention(() => {
        const mixed = meetings().map(({ q, k, v, bias, windows, count }, group) => {
          const map = shown?.[group]
          const ofGroup = map ? mixedBy(map, v, heads) : attentionOp(q, k, v, { heads, bias })
          return reshape(ofGroup, [batch, windows * count, width])
        })
        return linear('proj', concat(mixed, { axis: 1 }), { out: width })
      })
    },
    received: () =>
      inAttention(() => {
        const ofGroups = mapsOf().map((map, group) => {
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
    'blvit bug: tokens that have left their grid look around in groups, which have no map in common',
  )
}
