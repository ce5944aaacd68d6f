import { assert } from '../base/assert.js'
import { type Dim, elements, times } from '../graph/dim.js'
import { type Initialiser, truncatedNormal } from '../graph/initialiser.js'
import {
  add,
  attentionMap,
  attention as attentionOp,
  expand,
  gather,
  matmul,
  mean,
  multiply,
  queryAttention,
  reshape,
  scaleShift,
  scatterAdd,
  slice,
  transpose,
} from '../graph/ops/index.js'
import { atScope, currentScope, scope } from '../graph/scope.js'
import { sizeAt, type Tensor } from '../graph/tensor.js'
import { layerNorm } from './layer-norm.js'
import { linear, packedLinear, widthOf } from './linear.js'

/** How queries and keys meet; by default as in a plain ViT. */
export interface Meeting {
  /** Added to the scores before the softmax; broadcasts to `[batch, heads, queries, keys]`. */
  readonly bias?: Tensor | undefined
  /** 1 for keys that count, 0 for those that nobody looks at. `[batch, keys]` */
  readonly keyMask?: Tensor | undefined
  /** What q·kᵀ is multiplied by; default 1/√headWidth. */
  readonly scale?: number | undefined
  /** What the values of each head are multiplied by: 0 for a head that is off. `[batch, heads]` */
  readonly headFactor?: Tensor | undefined
}

/** What a map that the caller made is given to mix, and what becomes of that. */
export interface Mixture extends Pick<Meeting, 'headFactor'> {
  /** In place of the layer's values. @param v `[batch, keys, innerWidth]` */
  readonly values?: (v: Tensor) => Tensor
  /** What of the rows goes through the output map. @param mixed `[batch, rows, innerWidth]` */
  readonly rows?: (mixed: Tensor) => Tensor
}

/**
 * An attention layer as methods see it. Only what is asked for is built: a model that never looks at the map gets the
 * engine's fused operator.
 */
export interface AttentionView {
  /** `[batch, queries, innerWidth]` */
  readonly q: Tensor
  /** `[batch, keys, innerWidth]` */
  readonly k: Tensor
  /** `[batch, keys, innerWidth]` */
  readonly v: Tensor
  readonly heads: number
  /** softmax(scale·q·kᵀ + bias). `[batch, heads, queries, keys]` */
  map(meeting?: Meeting): Tensor
  /** What the layer gives: values mixed by the map, through the output map. `[batch, queries, width]` */
  output(meeting?: Meeting): Tensor
  /** The same for some of the queries alone: a layer's rows. @param queries `[batch, rows, innerWidth]`, rows of `q` */
  outputOf(queries: Tensor, meeting?: Meeting): Tensor
  /** The same of a map that the caller made: `[batch, heads, rows, keys]` → `[batch, rows, width]` */
  mix(map: Tensor, mixture?: Mixture): Tensor
  /** What each key gets of a query, on average over queries and heads. `[batch, keys]` */
  received(): Tensor
  /** What the class token, the first query, gives to each key: its row of the map, averaged over heads. `[batch, keys]` */
  clsRow(meeting?: Meeting): Tensor
}

export interface AttentionOptions {
  readonly heads: number
  /** What the heads share; default: the tokens' width. */
  readonly innerWidth?: number
  /** Of the output map's weight; default: truncated normal. */
  readonly projInitialiser?: Initialiser
  /** Of the maps to queries, keys and values. Default true. */
  readonly qkvBias?: boolean
  /** Of the output map. Default true. */
  readonly projBias?: boolean
  /** Norms each head's queries and keys, by LayerNorms `name.q_norm` and `name.k_norm` of this epsilon. Default: none. */
  readonly qkNormEpsilon?: number | undefined
  /**
   * The heads whose work is done; the others give zeros. A batch of the view is then each of them of each picture, with one
   * head. int64 `[1, some]`. Default: all.
   */
  readonly only?: Tensor | undefined
}

/** Far below every score, and a number in float16 too: its exponential beside any other is 0. */
const unseen = -1e4

/** Mask and bias as one bias. */
function biasOf({ bias, keyMask }: Meeting): Tensor | undefined {
  if (!keyMask) return bias
  const [batch, keys] = [sizeAt(keyMask, 0), sizeAt(keyMask, 1)]
  const mask = reshape(scaleShift(keyMask, { scale: -unseen, shift: unseen }), [batch, 1, 1, keys])
  return bias ? add(mask, bias) : mask
}

/** A map times values, heads side by side again. @param map `[batch, heads, rows, keys]` @returns `[batch, rows, innerWidth]` */
export function mixedBy(map: Tensor, v: Tensor, heads: number): Tensor {
  const [batch, keys, width] = [sizeAt(v, 0), sizeAt(v, 1), widthOf(v)]
  // [batch, heads, keys, headWidth]
  const values = transpose(reshape(v, [batch, keys, heads, width / heads]), [0, 2, 1, 3])
  // [batch, rows, heads, headWidth]
  const rows = transpose(matmul(map, values), [0, 2, 1, 3])
  return reshape(rows, [batch, sizeAt(map, 2), width])
}

/** Channels times the factor of the head that they are in. @param x `[batch, any, width]` @param factor `[batch, heads]` */
export function timesHeadFactor(x: Tensor, factor: Tensor | undefined): Tensor {
  if (!factor) return x
  const [batch, heads] = [sizeAt(factor, 0), Number(sizeAt(factor, 1))]
  const each = expand(reshape(factor, [batch, heads, 1]), [batch, heads, widthOf(x) / heads])
  return multiply(x, reshape(each, [batch, 1, widthOf(x)]))
}

/** A LayerNorm of each head by itself. @param x `[batch, tokens, innerWidth]` */
function normOfHeads(name: string, x: Tensor, heads: number, epsilon: number): Tensor {
  const [batch, tokens, width] = [sizeAt(x, 0), sizeAt(x, 1), widthOf(x)]
  // [batch, tokens, heads, headWidth]
  const split = reshape(x, [batch, tokens, heads, width / heads])
  return reshape(layerNorm(name, split, { epsilon }), x.shape)
}

const same = (x: Tensor) => x

/** Some of the heads, each a batch of its own. @param only int64 `[1, some]` @param batch pictures */
function someHeads(only: Tensor, { batch, heads }: { readonly batch: Dim; readonly heads: number }) {
  const some = sizeAt(only, 1)
  return {
    /** Their rows of a weight or bias. @param whole `[heads·headWidth, …]` */
    rowsOf: (whole: Tensor) => {
      const [out = heads, ...rest] = whole.shape
      const each = [Number(out) / heads, ...rest]
      const picked = gather(reshape(whole, [1, heads, elements(each)]), only)
      return reshape(picked, [times(some, each[0] ?? 1), ...rest])
    },
    /** `[batch, tokens, some·headWidth]` → `[batch·some, tokens, headWidth]` */
    apart: (x: Tensor, headWidth: number) => {
      const split = reshape(x, [batch, sizeAt(x, 1), some, headWidth])
      return reshape(transpose(split, [0, 2, 1, 3]), [times(batch, some), sizeAt(x, 1), headWidth])
    },
    /** `[batch·some, rows, headWidth]` → `[batch, rows, heads·headWidth]`, zeros for the others */
    together: (mixed: Tensor) => {
      const [rows, headWidth] = [sizeAt(mixed, 1), widthOf(mixed)]
      const ofEach = reshape(mixed, [batch, some, rows, headWidth])
      const all = scatterAdd(ofEach, expand(only, [batch, some]), { tokens: heads })
      return reshape(transpose(all, [0, 2, 1, 3]), [batch, rows, heads * headWidth])
    },
  }
}

function sameMeeting(a: Meeting, b: Meeting): boolean {
  return a.bias === b.bias && a.keyMask === b.keyMask && a.scale === b.scale
}

/** What a view is made of. */
interface AttentionParts extends Pick<AttentionView, 'q' | 'k' | 'v' | 'heads'> {
  /** What the layer makes of mixed values. `[batch, rows, innerWidth]` → `[batch, rows, width]` */
  readonly projected: (mixed: Tensor) => Tensor
  /** Whose products are the scores, as they are, where that isn't queries and keys: with relative positions among them. */
  readonly scored?: Readonly<Record<'q' | 'k', Tensor>> | undefined
}

/** A view of queries, keys and values; what is asked of it is built in the scope that it was made in. */
export function attentionView({ q, k, v, heads, projected, scored }: AttentionParts): AttentionView {
  const here = currentScope()
  const { q: asking, k: asked } = scored ?? { q, k }
  const optionsOf = (meeting: Meeting) => {
    assert(!scored || meeting.scale === undefined, 'another scale of scores that are scaled already')
    return { heads, scale: scored ? 1 : meeting.scale, bias: biasOf(meeting) }
  }
  const valuesOf = ({ headFactor }: Pick<Meeting, 'headFactor'>) => timesHeadFactor(v, headFactor)
  let shown: { readonly meeting: Meeting; readonly map: Tensor } | undefined
  const mapOf = (meeting: Meeting) => {
    if (!shown || !sameMeeting(shown.meeting, meeting)) {
      shown = { meeting, map: atScope(here, () => attentionMap(asking, asked, optionsOf(meeting))) }
    }
    return shown.map
  }
  return {
    q,
    k,
    v,
    heads,
    map: (meeting = {}) => mapOf(meeting),
    received: () =>
      atScope(here, () => reshape(mean(mapOf({}), { axes: [1, 2] }), [sizeAt(k, 0), sizeAt(k, 1)])),
    output: (meeting = {}) => {
      // the map that somebody asked for already is half of the way
      const map = shown && sameMeeting(shown.meeting, meeting) ? shown.map : undefined
      return atScope(here, () =>
        projected(
          map
            ? mixedBy(map, valuesOf(meeting), heads)
            : attentionOp(asking, asked, valuesOf(meeting), optionsOf(meeting)),
        ),
      )
    },
    outputOf: (queries, meeting = {}) => {
      assert(!scored, 'some queries of scores with relative positions')
      return atScope(here, () => projected(attentionOp(queries, k, valuesOf(meeting), optionsOf(meeting))))
    },
    mix: (map, { values = same, rows = same, ...meeting } = {}) =>
      atScope(here, () => projected(rows(mixedBy(map, values(valuesOf(meeting)), heads)))),
    clsRow: (meeting = {}) =>
      atScope(here, () => queryAttention(slice(asking, { axis: 1, end: 1 }), asked, optionsOf(meeting))),
  }
}

/**
 * Multi-head attention with timm's parameters `name.qkv` and `name.proj`.
 * @param tokens `queries [batch, queries, width]` ask, `keys [batch, keys, width]` answer; in plain
 *   self-attention both are the same tensor
 */
export function attention(
  name: string,
  tokens: { queries: Tensor; keys: Tensor },
  options: AttentionOptions,
): AttentionView {
  const { queries, keys } = tokens
  const width = widthOf(keys)
  const { innerWidth = width, projInitialiser = truncatedNormal, projBias, qkNormEpsilon, only } = options
  return scope(name, () => {
    const some = only && someHeads(only, { batch: sizeAt(keys, 0), heads: options.heads })
    const heads = some ? 1 : options.heads
    const size = {
      width,
      out: innerWidth,
      bias: options.qkvBias ?? true,
      ...(some && { rowsOf: some.rowsOf }),
    }
    const packed = packedLinear('qkv', { q: queries, k: keys, v: keys }, size)
    const apart = (x: Tensor) => (some ? some.apart(x, innerWidth / options.heads) : x)
    const normed = (norm: string, x: Tensor) =>
      qkNormEpsilon === undefined ? x : normOfHeads(norm, x, heads, qkNormEpsilon)
    return attentionView({
      q: normed('q_norm', apart(packed.q)),
      k: normed('k_norm', apart(packed.k)),
      v: apart(packed.v),
      heads,
      projected: (mixed) =>
        linear('proj', some ? some.together(mixed) : mixed, {
          ...{ out: width, initialiser: projInitialiser, bias: projBias ?? true },
        }),
    })
  })
}
