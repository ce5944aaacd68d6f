import { type Dim, elements, type Shape, sameDim, sameShape, times } from '../dim.js'
import type { Lowering, Value } from '../lowering.js'
import { broadcast, defineOp, operand, shapeError } from '../op.js'
import { sizeAt, type Tensor } from '../tensor.js'
import { attentionGradient, attentionMapGradient, queryAttentionGradient } from './attention-gradient.js'

/** What the three ops of this file share. */
export interface AttentionOptions {
  readonly heads: number
  /** What q·kᵀ is multiplied by; default: 1/√headWidth. */
  readonly scale?: number | undefined
  /**
   * Added to the scaled scores before the softmax; any shape that broadcasts to `[batch, heads, queries, keys]`, e.g.
   * `[batch, 1, 1, keys]` for proportional attention, `[heads, queries, keys]` for relative positions.
   */
  readonly bias?: Tensor | undefined
}

type Attributes = { readonly heads: number; readonly scale?: number }

/** Operands and attributes, the bias last where there is one. */
function node(tensors: readonly Tensor[], { heads, scale, bias }: AttentionOptions) {
  const attributes: Attributes = scale === undefined ? { heads } : { heads, scale }
  return [bias ? [...tensors, bias] : tensors, attributes] as const
}

function scaleOf({ shape }: Pick<Tensor, 'shape'>, { heads, scale }: Attributes): number {
  return scale ?? 1 / Math.sqrt(Number(shape.at(-1)) / heads)
}

/** The attributes with the scale filled in. */
function whole(queries: Tensor, attributes: Attributes) {
  return { heads: attributes.heads, scale: scaleOf(queries, attributes) }
}

/** `[batch, tokens, width]` → `[batch, heads, tokens, headWidth]`, or with the last two axes swapped. */
function splitHeads(lowering: Lowering, x: Value, heads: number, perm: readonly number[]): string {
  const [batch = 1, tokens = 1, width = 1] = x.shape
  if (typeof width !== 'number') throw new Error('blvit bug: symbolic width')
  const split = lowering.reshape(x.rows ?? lowering.full(x), [batch, tokens, heads, width / heads])
  return lowering.emit('Transpose', [split], { perm })
}

/** softmax(scale·q·kᵀ + bias) in plain operators: `[batch, heads, queries, keys]` */
function writtenOutMap(
  lowering: Lowering,
  [queries, keys, bias]: readonly [Value, Value, Value | undefined],
  attributes: Attributes,
): string {
  const { heads } = attributes
  const scale = scaleOf(queries, attributes)
  const q = splitHeads(lowering, queries, heads, [0, 2, 1, 3])
  const kTransposed = splitHeads(lowering, keys, heads, [0, 2, 3, 1])
  const scaled = lowering.emit('Mul', [q, lowering.floats([scale], [1])])
  const scores = lowering.emit('MatMul', [scaled, kTransposed])
  const biased = bias ? lowering.emit('Add', [scores, lowering.full(bias)]) : scores
  return lowering.emit('Softmax', [biased], { axis: -1 })
}

/** `[batch, heads, queries, keys]` and `[batch, keys, width]` → `[batch, queries, width]` */
function mixed(lowering: Lowering, map: string, values: Value, heads: number, shape: Shape): Value {
  const perHead = lowering.emit('MatMul', [map, splitHeads(lowering, values, heads, [0, 2, 1, 3])])
  const joined = lowering.emit('Transpose', [perHead], { perm: [0, 2, 1, 3] })
  return lowering.asFull(lowering.reshape(joined, shape), shape)
}

function mapShape(queries: Tensor, keys: Tensor, heads: number): Shape {
  return [sizeAt(queries, 0), heads, sizeAt(queries, 1), sizeAt(keys, 1)]
}

/** @param tokens how many of the inputs are token tensors, the third of them values, of a width of their own; one more is a bias */
function checkInputs(
  op: string,
  inputs: readonly Tensor[],
  { heads, tokens }: { heads: number; tokens: number },
) {
  const [batch, width] = [sizeAt(operand(inputs, 0), 0), sizeAt(operand(inputs, 0), -1)]
  const fits =
    inputs.slice(0, tokens).every((input) => {
      const own = sizeAt(input, -1)
      const isWhole = typeof own === 'number' && own % heads === 0
      return input.shape.length === 3 && sameDim(sizeAt(input, 0), batch) && isWhole
    }) && sameDim(sizeAt(operand(inputs, 1), -1), width)
  if (!fits) throw shapeError(op, inputs, `[batch, tokens, width] with a width that ${heads} heads divide`)
  const bias = inputs[tokens]
  if (!bias) return
  const map = mapShape(operand(inputs, 0), operand(inputs, 1), heads)
  const whole = broadcast(bias.shape, map)
  if (bias.shape.length > 4 || !whole?.every((dim, axis) => sameDim(dim, map[axis] ?? -1))) {
    throw shapeError(op, inputs, 'a bias that broadcasts to [batch, heads, queries, keys]')
  }
}

/**
 * A bias as the fused operator of ONNX Runtime 1.30 takes it: all four axes, of which it repeats batch and heads but
 * refuses to repeat queries and keys. One map for all heads costs little beside what they compute.
 */
function fusedBias(lowering: Lowering, bias: Value, [queries, keys]: readonly [Dim, Dim]): string {
  const shape: Shape = [...new Array<number>(4 - bias.shape.length).fill(1), ...bias.shape]
  const full = lowering.full(bias)
  const ofRank4 = bias.shape.length === 4 ? full : lowering.reshape(full, shape)
  const repeated = [...shape.slice(0, 2), queries, keys]
  return sameShape(shape, repeated) ? ofRank4 : lowering.emit('Expand', [ofRank4, lowering.shape(repeated)])
}

const attentionOp = defineOp<Attributes>({
  name: 'Attention',
  shape: (inputs, { heads }) => {
    checkInputs('Attention', inputs, { heads, tokens: 3 })
    const [keys, values] = [operand(inputs, 1), operand(inputs, 2)]
    if (!sameDim(sizeAt(keys, 1), sizeAt(values, 1))) {
      throw shapeError('Attention', inputs, 'as many keys as values')
    }
    return operand(inputs, 0).shape.with(-1, sizeAt(values, -1))
  },
  // each query looks around for itself
  cut: (part, inputs) => {
    if (part.axis !== 1) return undefined
    const bias = inputs[3]?.shape
    const ofBias =
      bias && bias.length >= 2 && bias.at(-2) !== 1 ? { ...part, axis: bias.length - 2 } : undefined
    return { parts: inputs.map((_, i) => [part, undefined, undefined, ofBias][i]) }
  },
  gradient: (gradient, inputs, { output, attributes }) => {
    const [queries, keys, values] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)]
    return attentionGradient(
      gradient,
      { queries, keys, values, bias: inputs[3], output },
      whole(queries, attributes),
    )
  },
  // q·kᵀ and A·v: one multiply-add each per query, key and channel
  cost: (inputs, output) => ({ attention: times(2, times(elements(output), sizeAt(operand(inputs, 1), 1))) }),
  onnx: (lowering, inputs, { tensor, attributes }) => {
    const [queries, keys, values] = [operand(inputs, 0), operand(inputs, 1), operand(inputs, 2)]
    const { heads, scale } = attributes
    const bias = inputs[3]
    if (lowering.target === 'native' && !lowering.differentiated) {
      const operands = [queries, keys, values].map((value) => lowering.full(value))
      if (bias) operands.push(fusedBias(lowering, bias, [sizeAt(tensor, 1), keys.shape[1] ?? 1]))
      const options = {
        q_num_heads: heads,
        kv_num_heads: heads,
        ...(scale === undefined ? {} : { scale: { float: scale } }),
      }
      return lowering.asFull(lowering.emit('Attention', operands, options), tensor.shape)
    }
    const map = writtenOutMap(lowering, [queries, keys, bias], attributes)
    return mixed(lowering, map, values, heads, tensor.shape)
  },
})

/**
 * Multi-head attention, softmax(scale·q·kᵀ + bias)·v. Queries may be fewer than keys: bLViT's
 * semi-cross attention asks for the primary tokens only.
 * @param queries `[batch, queries, width]` @param keys `[batch, keys, width]` @param values as many, of any width
 * @returns `[batch, queries, width of values]`
 */
export function attention(queries: Tensor, keys: Tensor, values: Tensor, options: AttentionOptions): Tensor {
  return attentionOp(...node([queries, keys, values], options))
}

const attentionMapOp = defineOp<Attributes>({
  name: 'AttentionMap',
  shape: (inputs, { heads }) => {
    checkInputs('AttentionMap', inputs, { heads, tokens: 2 })
    return mapShape(operand(inputs, 0), operand(inputs, 1), heads)
  },
  gradient: (gradient, inputs, { output, attributes }) => {
    const [queries, keys] = [operand(inputs, 0), operand(inputs, 1)]
    return attentionMapGradient(
      gradient,
      { queries, keys, bias: inputs[2], map: output },
      whole(queries, attributes),
    )
  },
  cost: (inputs) => ({ attention: productCost(operand(inputs, 0), operand(inputs, 1)) }),
  onnx: (lowering, inputs, { tensor, attributes }) => {
    const operands = [operand(inputs, 0), operand(inputs, 1), inputs[2]] as const
    return lowering.asFull(writtenOutMap(lowering, operands, attributes), tensor.shape)
  },
})

/** One multiply-add per query, key and channel. */
function productCost(queries: Tensor, keys: Tensor): Dim {
  return times(elements(queries.shape), sizeAt(keys, 1))
}

/**
 * What {@link attention} mixes values by: softmax(scale·q·kᵀ + bias).
 * @param queries `[batch, queries, width]` @param keys `[batch, keys, width]`
 * @returns `[batch, heads, queries, keys]`
 */
export function attentionMap(queries: Tensor, keys: Tensor, options: AttentionOptions): Tensor {
  return attentionMapOp(...node([queries, keys], options))
}

const queryAttentionOp = defineOp<Attributes>({
  name: 'QueryAttention',
  shape: (inputs, { heads }) => {
    checkInputs('QueryAttention', inputs, { heads, tokens: 2 })
    if (sizeAt(operand(inputs, 0), 1) !== 1) throw shapeError('QueryAttention', inputs, 'one query')
    return [sizeAt(operand(inputs, 0), 0), sizeAt(operand(inputs, 1), 1)]
  },
  gradient: (gradient, inputs, { attributes }) => {
    const [queries, keys] = [operand(inputs, 0), operand(inputs, 1)]
    return queryAttentionGradient(gradient, { queries, keys, bias: inputs[2] }, whole(queries, attributes))
  },
  cost: (inputs) => ({ attention: productCost(operand(inputs, 0), operand(inputs, 1)) }),
  onnx: (lowering, inputs, { tensor, attributes }) => {
    const weights = writtenOutMap(lowering, [operand(inputs, 0), operand(inputs, 1), inputs[2]], attributes)
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
 * map, by which EViT and its kin rank tokens. One op, because what ranks tokens stays float32 where the rest is
 * float16, and a whole map doesn't.
 * @param query `[batch, 1, width]` @param keys `[batch, keys, width]`
 * @returns `[batch, keys]`
 */
export function queryAttention(query: Tensor, keys: Tensor, options: AttentionOptions): Tensor {
  return queryAttentionOp(...node([query, keys], options))
}
