import { elements, sameDim, times } from '../dim.js'
import type { Lowering, Value } from '../lowering.js'
import { defineOp, operand, shapeError } from '../op.js'
import { sizeAt, type Tensor } from '../tensor.js'
import { attentionGradient, queryAttentionGradient } from './attention-gradient.js'

/** `[batch, tokens, width]` → `[batch, heads, tokens, headWidth]`, or with the last two axes swapped. */
function splitHeads(lowering: Lowering, x: Value, heads: number, perm: readonly number[]): string {
  const [batch = 1, tokens = 1, width = 1] = x.shape
  if (typeof width !== 'number') throw new Error('blvit bug: symbolic width')
  const split = lowering.reshape(x.rows ?? lowering.full(x), [batch, tokens, heads, width / heads])
  return lowering.emit('Transpose', [split], { perm })
}

/** softmax(q·kᵀ/√headWidth) in plain operators: `[batch, heads, queries, keys]` */
function attentionMap(lowering: Lowering, queries: Value, keys: Value, heads: number): string {
  const width = queries.shape.at(-1)
  if (typeof width !== 'number') throw new Error('blvit bug: symbolic width')
  const q = splitHeads(lowering, queries, heads, [0, 2, 1, 3])
  const kTransposed = splitHeads(lowering, keys, heads, [0, 2, 3, 1])
  const scale = lowering.floats([1 / Math.sqrt(width / heads)], [1])
  const scores = lowering.emit('MatMul', [lowering.emit('Mul', [q, scale]), kTransposed])
  return lowering.emit('Softmax', [scores], { axis: -1 })
}

function checkHeads(op: string, inputs: readonly Tensor[], heads: number): void {
  const [batch, width] = [sizeAt(operand(inputs, 0), 0), sizeAt(operand(inputs, 0), -1)]
  const fits =
    typeof width === 'number' &&
    width % heads === 0 &&
    inputs.every((input) => input.shape.length === 3) &&
    inputs.every((input) => sameDim(sizeAt(input, 0), batch) && sameDim(sizeAt(input, -1), width))
  if (!fits) throw shapeError(op, inputs, `[batch, tokens, width] with a width that ${heads} heads divide`)
}

const attentionOp = defineOp<{ heads: number }>({
  name: 'Attention',
  shape: (inputs, { heads }) => {
    checkHeads('Attention', inputs, heads)
    const [keys, values] = [operand(inputs, 1), operand(inputs, 2)]
    if (!sameDim(sizeAt(keys, 1), sizeAt(values, 1))) {
      throw shapeError('Attention', inputs, 'as many keys as values')
    }
    return operand(inputs, 0).shape
  },
  gradient: (gradient, inputs, { output, attributes }) => {
    const [queries, keys, values] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)]
    return attentionGradient(gradient, { queries, keys, values, output }, attributes)
  },
  // q·kᵀ and A·v: one multiply-add each per query, key and channel
  cost: (inputs, output) => ({ attention: times(2, times(elements(output), sizeAt(operand(inputs, 1), 1))) }),
  onnx: (lowering, inputs, { tensor, attributes: { heads } }) => {
    const [queries, keys, values] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)]
    if (lowering.target === 'native' && !lowering.differentiated) {
      const operands = [queries, keys, values].map((value) => lowering.full(value))
      const options = { q_num_heads: heads, kv_num_heads: heads }
      return lowering.asFull(lowering.emit('Attention', operands, options), tensor.shape)
    }
    const weights = attentionMap(lowering, queries, keys, heads)
    const mixed = lowering.emit('MatMul', [weights, splitHeads(lowering, values, heads, [0, 2, 1, 3])])
    const joined = lowering.emit('Transpose', [mixed], { perm: [0, 2, 1, 3] })
    return lowering.asFull(lowering.reshape(joined, tensor.shape), tensor.shape)
  },
})

/**
 * Multi-head attention, softmax(q·kᵀ/√headWidth)·v. Queries may be fewer than keys: bLViT's
 * semi-cross attention asks for the primary tokens only.
 * @param queries `[batch, queries, width]` @param keys `[batch, keys, width]` @param values as keys
 * @returns `[batch, queries, width]`
 */
export function attention(
  queries: Tensor,
  keys: Tensor,
  values: Tensor,
  { heads }: { heads: number },
): Tensor {
  return attentionOp([queries, keys, values], { heads })
}

const queryAttentionOp = defineOp<{ heads: number }>({
  name: 'QueryAttention',
  shape: (inputs, { heads }) => {
    checkHeads('QueryAttention', inputs, heads)
    if (sizeAt(operand(inputs, 0), 1) !== 1) throw shapeError('QueryAttention', inputs, 'one query')
    return [sizeAt(operand(inputs, 0), 0), sizeAt(operand(inputs, 1), 1)]
  },
  gradient: (gradient, inputs, { attributes }) =>
    queryAttentionGradient(gradient, { query: operand(inputs, 0), keys: operand(inputs, 1) }, attributes),
  cost: (inputs) => ({
    attention: elements(
      operand(inputs, 1)
        .shape.slice(1)
        .concat(sizeAt(operand(inputs, 0), 0)),
    ),
  }),
  onnx: (lowering, inputs, { tensor, attributes: { heads } }) => {
    const weights = attentionMap(lowering, operand(inputs, 0), operand(inputs, 1), heads)
    // ReduceMean takes its axes as an attribute up to opset 17 and as an input from 18 on.
    const mean =
      lowering.target === 'native'
        ? lowering.emit('ReduceMean', [weights, lowering.integers([1, 2])], { keepdims: 0 })
        : lowering.emit('ReduceMean', [weights], { axes: [1, 2], keepdims: 0 })
    return lowering.asFull(mean, tensor.shape)
  },
})

/**
 * The attention that one query gives to every key, averaged over the heads: the CLS row of the attention
 * map, by which EViT and its kin rank tokens.
 * @param query `[batch, 1, width]` @param keys `[batch, keys, width]`
 * @returns `[batch, keys]`
 */
export function queryAttention(query: Tensor, keys: Tensor, { heads }: { heads: number }): Tensor {
  return queryAttentionOp([query, keys], { heads })
}
