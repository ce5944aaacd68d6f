import { sizeAt, type Tensor } from '../tensor.js'
import { expand, reduceSum, sumTo } from './broadcasting.js'
import { add, multiply, scaleShift, subtract } from './elementwise.js'
import { reshape, transpose } from './layout.js'
import { matmul } from './matmul.js'
import { softmax, softmaxGradient } from './softmax.js'

interface Options {
  readonly heads: number
  readonly scale: number
}

interface MapInputs {
  readonly queries: Tensor
  readonly keys: Tensor
  readonly bias: Tensor | undefined
}

/**
 * A token tensor `[batch, tokens, width]` cut into heads. Only token tensors are ever transposed: the maps
 * `[batch, heads, queries, keys]` are larger.
 */
function headsOf(x: Tensor, heads: number) {
  const [batch, tokens, width] = [sizeAt(x, 0), sizeAt(x, 1), Number(sizeAt(x, 2))]
  const split = reshape(x, [batch, tokens, heads, width / heads])
  return {
    /** `[batch, heads, tokens, headWidth]` */
    rows: () => transpose(split, [0, 2, 1, 3]),
    /** `[batch, heads, headWidth, tokens]` */
    columns: () => transpose(split, [0, 2, 3, 1]),
  }
}

/** Back to the shape of token tensors. */
function fromRows(x: Tensor, like: Tensor): Tensor {
  return reshape(transpose(x, [0, 2, 1, 3]), like.shape)
}

function fromColumns(x: Tensor, like: Tensor): Tensor {
  return reshape(transpose(x, [0, 3, 1, 2]), like.shape)
}

/** softmax(scale·q·kᵀ + bias), in the very steps of the op's lowering, so that an engine computes it once. */
function attentionMap({ queries, keys, bias }: MapInputs, { heads, scale }: Options): Tensor {
  const scaled = scaleShift(headsOf(queries, heads).rows(), { scale })
  const scores = matmul(scaled, headsOf(keys, heads).columns(), { countedElsewhere: true })
  return softmax(bias ? add(scores, bias) : scores)
}

/** The gradients of queries, keys and bias from that of the scores, before softmax. */
function throughScores(ofScores: Tensor, { queries, keys, bias }: MapInputs, { heads, scale }: Options) {
  const ofQueries = scaleShift(matmul(ofScores, headsOf(keys, heads).rows()), { scale })
  const ofKeys = matmul(scaleShift(headsOf(queries, heads).columns(), { scale }), ofScores)
  return {
    ofQueries: fromRows(ofQueries, queries),
    ofKeys: fromColumns(ofKeys, keys),
    ofBias: bias ? [sumTo(ofScores, bias.shape)] : [],
  }
}

/**
 * What softmax's gradient takes from each row of the map's: `Σ map·mapGradient` over the keys. The same is
 * `Σ output·gradient` over the channels of a head, which are far fewer numbers (Dao et al., "FlashAttention", B.4).
 * @returns `[batch, heads, queries, 1]`
 */
function rowMeans(output: Tensor, gradient: Tensor, heads: number): Tensor {
  const [batch, tokens, width] = [sizeAt(output, 0), sizeAt(output, 1), Number(sizeAt(output, 2))]
  const perHead = reshape(multiply(output, gradient), [batch, tokens, heads, width / heads])
  return transpose(reduceSum(perHead, { axes: [-1] }), [0, 2, 1, 3])
}

/** The gradients of queries, keys, values and bias of multi-head attention. @param output what attention gave */
export function attentionGradient(
  gradient: Tensor,
  { values, output, ...inputs }: MapInputs & { values: Tensor; output: Tensor },
  options: Options,
): Tensor[] {
  const { heads } = options
  const map = attentionMap(inputs, options)
  const ofOutput = headsOf(gradient, heads)
  const ofMap = matmul(ofOutput.rows(), headsOf(values, heads).columns())
  const ofScores = multiply(map, subtract(ofMap, rowMeans(output, gradient, heads)))
  const ofValues = matmul(ofOutput.columns(), map)
  const { ofQueries, ofKeys, ofBias } = throughScores(ofScores, inputs, options)
  return [ofQueries, ofKeys, fromColumns(ofValues, values), ...ofBias]
}

/** The gradients of queries, keys and bias from that of the map. @param map what softmax gave */
export function attentionMapGradient(
  gradient: Tensor,
  { map, ...inputs }: MapInputs & { map: Tensor },
  options: Options,
): Tensor[] {
  const { ofQueries, ofKeys, ofBias } = throughScores(softmaxGradient(gradient, map), inputs, options)
  return [ofQueries, ofKeys, ...ofBias]
}

/** The gradients of the one query, the keys and the bias from that of the attention averaged over heads. */
export function queryAttentionGradient(gradient: Tensor, inputs: MapInputs, options: Options): Tensor[] {
  const map = attentionMap(inputs, options)
  const [batch, keyCount] = [sizeAt(inputs.keys, 0), sizeAt(inputs.keys, 1)]
  const share = scaleShift(reshape(gradient, [batch, 1, 1, keyCount]), { scale: 1 / options.heads })
  return attentionMapGradient(expand(share, map.shape), { map, ...inputs }, options)
}
