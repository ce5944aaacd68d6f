import { sizeAt, type Tensor } from '../tensor.js'
import { expand, reduceSum } from './broadcasting.js'
import { multiply, scaleShift, subtract } from './elementwise.js'
import { reshape, transpose } from './layout.js'
import { matmul } from './matmul.js'
import { softmax, softmaxGradient } from './softmax.js'

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

function scaleOf(x: Tensor, heads: number): number {
  return 1 / Math.sqrt(Number(sizeAt(x, -1)) / heads)
}

/** softmax(q·kᵀ/√headWidth), in the very steps of the op's lowering, so that an engine computes it once. */
function attentionMap(queries: Tensor, keys: Tensor, heads: number): Tensor {
  const scaled = scaleShift(headsOf(queries, heads).rows(), { scale: scaleOf(queries, heads) })
  const scores = matmul(scaled, headsOf(keys, heads).columns(), { countedElsewhere: true })
  return softmax(scores)
}

/** The gradients of queries and keys from that of the scores, before softmax. */
function throughScores(ofScores: Tensor, queries: Tensor, keys: Tensor, heads: number): Tensor[] {
  const factor = scaleOf(queries, heads)
  const ofQueries = scaleShift(matmul(ofScores, headsOf(keys, heads).rows()), { scale: factor })
  const ofKeys = matmul(scaleShift(headsOf(queries, heads).columns(), { scale: factor }), ofScores)
  return [fromRows(ofQueries, queries), fromColumns(ofKeys, keys)]
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

/** The gradients of queries, keys and values of multi-head attention. @param output what attention gave */
export function attentionGradient(
  gradient: Tensor,
  { queries, keys, values, output }: { queries: Tensor; keys: Tensor; values: Tensor; output: Tensor },
  { heads }: { heads: number },
): Tensor[] {
  const map = attentionMap(queries, keys, heads)
  const ofOutput = headsOf(gradient, heads)
  const ofMap = matmul(ofOutput.rows(), headsOf(values, heads).columns())
  const ofScores = multiply(map, subtract(ofMap, rowMeans(output, gradient, heads)))
  const ofValues = matmul(ofOutput.columns(), map)
  return [...throughScores(ofScores, queries, keys, heads), fromColumns(ofValues, values)]
}

/** The gradients of the one query and of the keys from that of the attention they share, averaged over heads. */
export function queryAttentionGradient(
  gradient: Tensor,
  { query, keys }: { query: Tensor; keys: Tensor },
  { heads }: { heads: number },
): Tensor[] {
  const map = attentionMap(query, keys, heads)
  const [batch, keyCount] = [sizeAt(keys, 0), sizeAt(keys, 1)]
  const share = scaleShift(reshape(gradient, [batch, 1, 1, keyCount]), { scale: 1 / heads })
  const ofScores = softmaxGradient(expand(share, map.shape), map)
  return throughScores(ofScores, query, keys, heads)
}
