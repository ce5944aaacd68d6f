import { type Dim, times } from '../graph/dim.js'
import { type Initialiser, truncatedNormal } from '../graph/initialiser.js'
import { counted, multiply, reduceSum, reshape, table } from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import { type AttentionView, attentionView } from './attention.js'
import { linear, packedLinear, widthOf } from './linear.js'
import { type GridSides, gridMarks, placed, positionTables, positionTerms } from './relative-position.js'
import {
  paddingCount,
  realTokens,
  tokensToWindows,
  type WindowPlan,
  windowsToTokens,
  withPaddingRow,
} from './windows.js'

/** Where tokens see each other: in windows of a grid, or all over it. */
export interface Neighbourhood {
  readonly grid: GridSides
  /** Undefined: all tokens of the grid see each other. */
  readonly plan: WindowPlan | undefined
  /** The sides that the relative positions were learned for; undefined: there are none. */
  readonly learnedFor: GridSides | undefined
}

/** The sides inside which tokens see each other. */
export function sidesOf({ grid, plan }: Pick<Neighbourhood, 'grid' | 'plan'>): GridSides {
  return plan ? { rows: plan.side, columns: plan.side } : grid
}

/** Row and column of each token inside its window, or in the grid. */
export function placesIn({ grid, plan }: Neighbourhood): readonly [readonly number[], readonly number[]] {
  const [down, across] = plan ? [plan.side, plan.side] : [grid.rows, grid.columns]
  const at = Array.from({ length: grid.rows * grid.columns }, (_, token) => token)
  return [
    at.map((token) => Math.floor(token / grid.columns) % down),
    at.map((token) => (token % grid.columns) % across),
  ]
}

export interface WindowedAttentionOptions {
  readonly heads: number
  readonly neighbourhood: Neighbourhood
  /** What the heads share; default: the tokens' width. */
  readonly innerWidth?: number
  /** Default true. */
  readonly qkvBias?: boolean
  /** Of the output map's weight; default: truncated normal. */
  readonly projInitialiser?: Initialiser
  /** Whether papers count the maps of the places outside of the grid, which are computed once here. Default false. */
  readonly countsPadding?: boolean
}

/**
 * Attention in the windows of a grid with decomposed relative positions, as SAM's encoder has it; parameters `name.qkv`,
 * `name.proj`, `name.rel_pos_h`, `name.rel_pos_w`. Places of windows outside of the grid are zeros behind the norm, whose
 * keys and values are their biases: one row of zeros stands for all of them.
 * @param tokens after their norm, row by row. `[batch, rows·columns, width]`
 * @returns a view of the windows: `q`, `k` and `v` are `[batch·windows, side², innerWidth]`, outputs `[batch, rows·columns, width]`
 */
export function windowedAttention(
  name: string,
  tokens: Tensor,
  options: WindowedAttentionOptions,
): AttentionView {
  const width = widthOf(tokens)
  const {
    heads,
    neighbourhood,
    innerWidth = width,
    qkvBias = true,
    projInitialiser = truncatedNormal,
  } = options
  const { plan, learnedFor } = neighbourhood
  const batch = sizeAt(tokens, 0)
  return scope(name, () => {
    const padded = plan ? withPaddingRow(tokens, plan) : tokens
    const read = options.countsPadding && plan ? withCountedPadding(padded, plan, innerWidth) : padded
    const packed = packedLinear(
      'qkv',
      { q: read, k: read, v: read },
      { width, out: innerWidth, bias: qkvBias },
    )
    const inWindows = (x: Tensor) => (plan ? tokensToWindows(x, plan) : x)
    const [q, k, v] = [inWindows(packed.q), inWindows(packed.k), inWindows(packed.v)]
    const [tables, sides] = [
      learnedFor && positionTables(innerWidth / heads, learnedFor),
      sidesOf(neighbourhood),
    ]
    const view = attentionView({
      ...{ q, k, v, heads },
      scored:
        tables &&
        placed(
          { q, k },
          { terms: positionTerms(q, { heads, tables, ...sides }), marks: gridMarks(sides), heads },
        ),
      projected: (mixed) =>
        linear('proj', plan ? windowsToTokens(mixed, plan, batch) : mixed, {
          out: width,
          initialiser: projInitialiser,
        }),
    })
    return plan ? { ...view, received: () => receivedInWindows(view, plan, batch) } : view
  })
}

/** What tokens receive of those of their window, not of the places outside of the grid. @returns `[batch, tokens]` */
function receivedInWindows({ map, heads }: AttentionView, plan: WindowPlan, batch: Dim): Tensor {
  return scope('received', () => {
    const [windows, places] = [plan.down * plan.across, plan.side ** 2]
    const summed = reduceSum(map(), { axes: [1] })
    const asks = new Array<number>(windows * places).fill(0)
    const share = new Array<number>(plan.rows * plan.columns).fill(0)
    for (const [window, { tokens }] of realTokens(plan).entries()) {
      for (const token of tokens) {
        asks[window * places + placeOf(token, plan)] = 1
        share[token] = 1 / (heads * tokens.length)
      }
    }
    const real = multiply(
      reshape(summed, [batch, windows, places, places]),
      table(asks, [1, windows, places, 1]),
    )
    const ofKeys = reshape(reduceSum(real, { axes: [2] }), [batch, windows * places, 1])
    const inGrid = reshape(windowsToTokens(ofKeys, plan, batch), [batch, share.length])
    return multiply(inGrid, table(share, [1, share.length]))
  })
}

/** Where a token stands in its window. */
function placeOf(token: number, { columns, side }: WindowPlan): number {
  return (Math.floor(token / columns) % side) * side + ((token % columns) % side)
}

/** The tokens, with what the official code spends on places outside of the grid: three maps in and one out. */
function withCountedPadding(padded: Tensor, plan: WindowPlan, innerWidth: number): Tensor {
  const places = paddingCount(plan)
  if (places === 0) return padded
  const perPlace = 3 * widthOf(padded) * innerWidth
  // one row of them is computed
  const perPicture = (places - 1) * perPlace + places * innerWidth * widthOf(padded)
  return counted(padded, { thopExcess: times(sizeAt(padded, 0), perPicture) })
}
