import { type Dim, times } from '../../graph/dim.js'
import { keepsSize, zeros } from '../../graph/initialiser.js'
import {
  add,
  counted,
  matmul,
  parameter,
  reshape,
  scaleShift,
  softmax,
  transpose,
} from '../../graph/ops/index.js'
import { scope } from '../../graph/scope.js'
import { sizeAt, type Tensor } from '../../graph/tensor.js'
import { linear, widthOf } from '../../nn/linear.js'

/** What the attention between a few tokens and the many places of an image is made of. */
export interface FewTokensOptions {
  readonly heads: number
  /** What the heads share. */
  readonly innerWidth: number
}

/** Places of an image, and the same with the encodings of where they are. `[prompts, places, width]`; 1 for all prompts */
export interface ImagePlaces {
  readonly plain: Tensor
  readonly placed: Tensor
}

/** The weight of a map by heads, and its bias. */
interface MapOfHeads {
  /** `[1, heads, headWidth, width]` */
  readonly weight: Tensor
  /** `[1, heads, headWidth, 1]` */
  readonly bias: Tensor
}

/** Parameters `name.weight [innerWidth, width]` and `name.bias [innerWidth]` of a map that isn't applied as it is. */
function mapOfHeads(name: string, width: number, { heads, innerWidth }: FewTokensOptions): MapOfHeads {
  const headWidth = innerWidth / heads
  return scope(name, () => ({
    weight: reshape(parameter('weight', [innerWidth, width], keepsSize(width)), [1, heads, headWidth, width]),
    bias: reshape(parameter('bias', [innerWidth], zeros), [1, heads, headWidth, 1]),
  }))
}

/** `[prompts, tokens, innerWidth]` → `[prompts, heads, tokens, headWidth]` */
function splitHeads(x: Tensor, { heads, innerWidth }: FewTokensOptions): Tensor {
  const split = reshape(x, [sizeAt(x, 0), sizeAt(x, 1), heads, innerWidth / heads])
  return transpose(split, [0, 2, 1, 3])
}

function mapped(name: string, x: Tensor, { innerWidth }: FewTokensOptions): Tensor {
  return linear(name, x, { out: innerWidth, initialiser: keepsSize(widthOf(x)) })
}

/** With what papers count for two maps over all places, which aren't computed here. @param read by each of the two */
function countedMaps(x: Tensor, read: readonly [Tensor, Tensor], innerWidth: number): Tensor {
  return read.reduce((sum, { shape }) => {
    const [prompts = 1, places = 1, width = 1] = shape
    return counted(sum, { thopExcess: times(times(prompts, places), times(width, innerWidth)) })
  }, x)
}

/**
 * Attention of a few tokens to the many places of an image. Products are associative: what the map to keys would make of each
 * place is made of each token, `q·(W·x) = (Wᵀ·q)·x`, and what the map to values would, of what was mixed. For a click these
 * are 56 rows, 7 tokens of 8 heads, instead of 4,096 places; beyond 16 tokens the maps over places would be less work.
 * Parameters `name.q_proj`, `name.k_proj`, `name.v_proj`, `name.out_proj`.
 * @param queries `[prompts, tokens, width]` @returns `[prompts, tokens, width]`
 */
export function tokensToImage(
  name: string,
  queries: Tensor,
  image: ImagePlaces,
  options: FewTokensOptions,
): Tensor {
  const { heads, innerWidth } = options
  const [prompts, tokens, width] = [sizeAt(queries, 0), sizeAt(queries, 1), widthOf(queries)]
  const rows = times(heads, tokens)
  return scope(name, () => {
    const asking = mapped('q_proj', queries, options)
    const q = splitHeads(scaleShift(asking, { scale: 1 / Math.sqrt(innerWidth / heads) }), options)
    const keyMap = mapOfHeads('k_proj', width, options)
    const valueMap = mapOfHeads('v_proj', width, options)
    const asked = reshape(matmul(q, keyMap.weight), [prompts, rows, width])
    const products = rowsTimesPlaces(asked, image.placed)
    const scores = add(products, reshape(matmul(q, keyMap.bias), [prompts, rows, 1]))
    // [prompts, heads·tokens, places] · [prompts, places, width]
    const mixed = reshape(matmul(softmax(scores), image.plain), [prompts, heads, tokens, width])
    const values = add(
      matmul(mixed, valueMap.weight, { transposeB: true }),
      transpose(valueMap.bias, [0, 1, 3, 2]),
    )
    const joined = reshape(transpose(values, [0, 2, 1, 3]), [prompts, tokens, innerWidth])
    const found = linear('out_proj', joined, { out: width, initialiser: keepsSize(innerWidth) })
    return countedMaps(found, [image.placed, image.plain], innerWidth)
  })
}

/** Products of rows with places. @returns `[prompts, rows, places]` */
function rowsTimesPlaces(rows: Tensor, places: Tensor): Tensor {
  const [prompts, count, width] = [sizeAt(rows, 0), sizeAt(rows, 1), widthOf(rows)]
  if (sizeAt(places, 0) !== 1) return matmul(rows, places, { transposeB: true })
  // an image that all prompts share meets the rows of all of them at once
  const all = reshape(rows, [1, times(prompts, count), width])
  return reshape(matmul(all, places, { transposeB: true }), [prompts, count, sizeAt(places, 1)])
}

/**
 * Attention of the many places of an image to a few tokens, by the same turn: what the map to queries would make of each place
 * is made of the tokens' keys, and what the output map would make of each place, of their values.
 * @param tokens `keys` and `values`: `[prompts, tokens, width]` @returns `[prompts, places, width]`
 */
export function imageToTokens(
  name: string,
  image: ImagePlaces,
  { keys, values }: Readonly<Record<'keys' | 'values', Tensor>>,
  options: FewTokensOptions,
): Tensor {
  const { heads, innerWidth } = options
  const [prompts, tokens, width] = [sizeAt(keys, 0), sizeAt(keys, 1), widthOf(keys)]
  const [rows, places]: readonly [Dim, Dim] = [times(heads, tokens), sizeAt(image.placed, 1)]
  return scope(name, () => {
    const queryMap = mapOfHeads('q_proj', width, options)
    const answering = mapped('k_proj', keys, options)
    const k = splitHeads(scaleShift(answering, { scale: 1 / Math.sqrt(innerWidth / heads) }), options)
    const v = splitHeads(mapped('v_proj', values, options), options)
    const asked = reshape(matmul(k, queryMap.weight), [prompts, rows, width])
    const products = matmul(image.placed, asked, { transposeB: true })
    const scores = add(products, reshape(matmul(k, queryMap.bias), [prompts, 1, rows]))
    const map = reshape(softmax(reshape(scores, [prompts, places, heads, tokens])), [prompts, places, rows])
    const { weight, bias } = scope('out_proj', () => ({
      weight: parameter('weight', [width, innerWidth], keepsSize(innerWidth)),
      bias: parameter('bias', [width], zeros),
    }))
    // [1, heads, headWidth, width]
    const byHeads = reshape(transpose(weight, [1, 0]), [1, heads, innerWidth / heads, width])
    // shares of a head sum to 1: the bias is added to a few tokens, a part for each head, instead of all places
    const told = add(
      reshape(matmul(v, byHeads), [prompts, rows, width]),
      scaleShift(bias, { scale: 1 / heads }),
    )
    const found = matmul(map, told)
    return countedMaps(found, [image.placed, found], innerWidth)
  })
}
