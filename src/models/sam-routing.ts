import { defined } from '../base/assert.js'
import { times } from '../graph/dim.js'
import { constantOf, truncatedNormal, zeros } from '../graph/initialiser.js'
import {
  add,
  argsort,
  attention,
  concat,
  constant,
  gather,
  multiply,
  parameter,
  pick,
  reshape,
  scaleShift,
  scatterAdd,
  slice,
  softmax,
  subtract,
} from '../graph/ops/index.js'
import { scope } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import { forBatch } from '../nn/for-batch.js'
import { layerNorm } from '../nn/layer-norm.js'
import { linear, packedLinear, widthOf } from '../nn/linear.js'
import {
  distanceTerms,
  gridMarks,
  placed,
  positionTables,
  vectorsOfDistances,
} from '../nn/relative-position.js'
import { type Neighbourhood, placesIn, sidesOf, windowedAttention } from '../nn/windowed-attention.js'
import { tokensToWindows, withPaddingRow } from '../nn/windows.js'
import { type BlockParts, blockMlp } from './block-loop.js'
import { littleMlp } from './blvit.js'
import type { LittleConfig } from './blvit-config.js'
import type { RouteEvent } from './token-history.js'
import type { VitShape } from './vit-config.js'
import { type TokenWindows, tokensOf, type WindowKind, wholeOf, windowKinds } from './window-kinds.js'

/** Windows of one shape, which choose equally many of their tokens. */
interface ChosenKind extends WindowKind {
  readonly kept: number
}

/** The windows of a grid: of a share of each, one token at least and all at most are chosen. */
function chosenKinds(windows: TokenWindows, keepRatio: number): readonly ChosenKind[] {
  return windowKinds(windows.plan).map((kind) => {
    const wanted = Math.floor(keepRatio * wholeOf(kind, windows) + 0.5)
    return { ...kind, kept: Math.min(tokensOf(kind), Math.max(1, wanted)) }
  })
}

/** What was chosen behind a layer. */
export interface WindowRoute {
  readonly kinds: readonly ChosenKind[]
  /** The primary tokens by their numbers, window by window, kind by kind. int64 `[batch, primary]` */
  readonly chosen: Tensor
  /** Their scores. `[batch, primary, 1]` */
  readonly gate: Tensor
  /** Of every token. `[batch, tokens]` */
  readonly scores: Tensor
}

/** The best tokens of the windows of a kind; of equal scores the lower number. @returns int64 `[batch, windows·kept]` */
function bestOf(scores: Tensor, { windows, tokens, kept }: ChosenKind): Tensor {
  const [batch, count] = [sizeAt(scores, 0), defined(tokens[0], 'a window').length]
  const rows = times(batch, windows.length)
  const ofWindows = reshape(pick(scores, tokens.flat(), { axis: 1 }), [rows, count])
  const best = slice(argsort(ofWindows), { axis: 1, end: kept })
  const numbers = reshape(forBatch(batch, tokens.flat()), [rows, count])
  return reshape(gather(numbers, best), [batch, windows.length * kept])
}

/**
 * Ranks tokens and chooses those of each window (spec §6.3: one selection for all layers up to the next, windowed or not).
 * @param tokens `[batch, tokens, width]` @param index counts the selections from 0
 */
export function chooseInWindows(
  tokens: Tensor,
  index: number,
  { windows, keepRatio }: { windows: TokenWindows; keepRatio: number },
): WindowRoute {
  const batch = sizeAt(tokens, 0)
  const scores = scope('predictors', () =>
    softmax(reshape(linear(`${index}`, tokens, { out: 1 }), [batch, sizeAt(tokens, 1)])),
  )
  const kinds = chosenKinds(windows, keepRatio)
  const chosen = concat(
    kinds.map((kind) => bestOf(scores, kind)),
    { axis: 1 },
  )
  const gate = gather(scores, chosen)
  return { kinds, chosen, scores, gate: reshape(gate, [...gate.shape, 1]) }
}

/** A choice as an event of the history. */
export function routeEvent(
  { scores, chosen }: WindowRoute,
  { layer, layers, little }: Pick<RouteEvent, 'layer' | 'layers' | 'little'>,
): RouteEvent {
  const [batch, primary] = [sizeAt(chosen, 0), sizeAt(chosen, 1)]
  const taken = scatterAdd(constant(1, [batch, primary]), chosen, { tokens: sizeAt(scores, 1) })
  return {
    kind: 'route',
    ...{ layer, layers, little, chosen: primary },
    tensors: { scores, order: argsort(taken) },
  }
}

interface PrimaryAttention {
  readonly heads: number
  readonly qkvBias: boolean
  readonly neighbourhood: Neighbourhood
}

/**
 * SAM's attention for chosen tokens alone: their rows of the whole layer, with keys and values of all tokens and of the places
 * outside of the grid. @param normed `[batch, tokens, width]` @returns `[batch, primary, width]`
 */
export function primaryAttention(
  normed: Tensor,
  { kinds, chosen }: Pick<WindowRoute, 'kinds' | 'chosen'>,
  { heads, qkvBias, neighbourhood }: PrimaryAttention,
): Tensor {
  const width = widthOf(normed)
  const batch = sizeAt(normed, 0)
  const { plan, learnedFor } = neighbourhood
  const sides = sidesOf(neighbourhood)
  return scope('attn', () => {
    const padded = plan ? withPaddingRow(normed, plan) : normed
    const inputs = { q: gather(normed, chosen), k: padded, v: padded }
    const { q, k, v } = packedLinear('qkv', inputs, { width, out: width, bias: qkvBias })
    const tables = positionTables(width / heads, defined(learnedFor, 'relative positions'))
    const [rowPlaces, columnPlaces] = placesIn(neighbourhood)
    const terms = (of: Tensor, side: number, places: readonly number[]) =>
      distanceTerms(q, gather(forBatch(batch, places), chosen), {
        heads,
        vectors: vectorsOfDistances(of, { queries: side, keys: side }),
      })
    const all = concat(
      [terms(tables.rows, sides.rows, rowPlaces), terms(tables.columns, sides.columns, columnPlaces)],
      { axis: 3 },
    )
    const marks = gridMarks(sides)
    const attended = (
      groups: number,
      [start, kept]: readonly [number, number],
      keys: Tensor,
      values: Tensor,
    ) => {
      const own = { axis: 1, start, end: start + groups * kept }
      const ofGroups = (x: Tensor) =>
        reshape(slice(x, own), [times(batch, groups), kept, ...x.shape.slice(2)])
      const scored = placed({ q: ofGroups(q), k: keys }, { terms: ofGroups(all), marks, heads })
      const mixed = attention(scored.q, scored.k, values, { heads, scale: 1 })
      return reshape(mixed, [batch, groups * kept, width])
    }
    if (!plan) return linear('proj', attended(1, [0, Number(sizeAt(chosen, 1))], k, v), { out: width })
    let start = 0
    const parts = kinds.map(({ windows, kept }) => {
      const inWindows = (x: Tensor) => tokensToWindows(x, plan, { windows })
      const part = attended(windows.length, [start, kept], inWindows(k), inWindows(v))
      start += windows.length * kept
      return part
    })
    return linear('proj', concat(parts, { axis: 1 }), { out: width })
  })
}

/** What a layer of P- and E-block works with. */
interface RoutedLayer {
  readonly route: WindowRoute
  readonly neighbourhood: Neighbourhood
  /** Undefined in a layer without an E-block. */
  readonly little: LittleConfig | undefined
  readonly shape: VitShape
  readonly parts: BlockParts
}

/** `x + (1 + α·s)·p + γ·e` of primary tokens, `x + e` of all others; without an E-block `x`. */
function fuse(
  x: Tensor,
  { big, little }: { big: Tensor; little: Tensor | undefined },
  { route: { chosen, gate }, half }: { route: WindowRoute; half: 1 | 2 },
): Tensor {
  const factor = scaleShift(multiply(gate, parameter(`alpha${half}`, [1], constantOf(0))), { shift: 1 })
  const gated = multiply(big, factor)
  const put = (update: Tensor) => scatterAdd(update, chosen, { tokens: sizeAt(x, 1) })
  if (!little) return add(x, put(gated))
  const own = gather(little, chosen)
  const share = multiply(own, parameter(`gamma${half}`, [1], constantOf(1e-5)))
  return add(add(x, little), put(add(gated, subtract(share, own))))
}

/** A big.LITTLE layer of SAM's encoder, in the current scope (spec §6.2). @returns the tokens after each half */
export function routedLayer(
  x: Tensor,
  layer: RoutedLayer,
): { readonly middle: Tensor; readonly tokens: Tensor } {
  const { route, neighbourhood, little, shape, parts } = layer
  const { heads, qkvBias, layerNormEpsilon: epsilon } = shape
  const options = { heads, qkvBias, neighbourhood }
  const attended = {
    big: primaryAttention(layerNorm('norm1', x, { epsilon }), route, options),
    little: little && littleWindowAttention(x, little, { neighbourhood, epsilon }),
  }
  const middle = fuse(x, attended, { route, half: 1 })
  const fed = {
    big: blockMlp(gather(middle, route.chosen), shape, { names: parts.mlpNames }),
    little: little && littleMlp(middle, little, shape),
  }
  return { middle, tokens: fuse(middle, fed, { route, half: 2 }) }
}

/** The E-block's attention, in the windows of its layer, with relative positions of its own. */
function littleWindowAttention(
  x: Tensor,
  { heads, width, initialisation }: LittleConfig,
  { neighbourhood, epsilon }: { neighbourhood: Neighbourhood; epsilon: number },
): Tensor {
  return scope('little', () =>
    windowedAttention('attn', layerNorm('norm1', x, { epsilon }), {
      ...{ heads, innerWidth: width, neighbourhood },
      projInitialiser: initialisation === 'zero' ? zeros : truncatedNormal,
    }).output(),
  )
}
