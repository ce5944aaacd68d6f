import { BlvitError } from '../../base/blvit-error.js'
import { type Dim, formatDim } from '../dim.js'
import type { Lowering, Value } from '../lowering.js'

// ONNX Runtime's WebGPU provider can neither sort nor gather nor cast 64-bit integers and leaves such nodes to the
// processor. There, token indices are float32, exact up to 2²⁴, and chosen by comparing all with all: for M tokens
// M² comparisons, and M²·width multiply-adds to move them, about 1 % of a layer.

function fixedCount(lowering: Lowering, dim: Dim | undefined): number {
  const [count] = lowering.decided([dim ?? 0])
  if (typeof count === 'number') return count
  throw new BlvitError(
    'UNSUPPORTED',
    `On WebGPU the number of tokens must be known when a graph is loaded, but it is ${formatDim(dim ?? 0)}. ` +
      'Build the model with fixed sizes.',
    { size: formatDim(dim ?? 0) },
  )
}

/** 0, 1, … count − 1, float32 whatever they are to pick: float16 would be exact up to 2¹¹ only. */
function counting(lowering: Lowering, count: number, shape: readonly number[]): string {
  return lowering.floats(
    Array.from({ length: count }, (_, i) => i),
    shape,
    'float32',
  )
}

/** 1.0 where the comparison holds, else 0.0. */
function compared(lowering: Lowering, operator: 'Equal' | 'Greater', operands: readonly string[]): string {
  return lowering.toFloats(lowering.emit(operator, operands))
}

/** `[batch, a]` as `[batch, a, 1]` and as `[batch, 1, a]`. */
function columnAndRow(lowering: Lowering, x: Value): readonly [column: string, row: string] {
  const [batch = 1, count = 1] = x.shape
  const full = lowering.full(x)
  return [lowering.reshape(full, [batch, count, 1]), lowering.reshape(full, [batch, 1, count])]
}

/** `[batch, rows]`: the sum over a row of `[batch, rows, columns]`, each column times a weight. */
function weightedSum(lowering: Lowering, x: string, weights: string, shape: readonly Dim[]): Value {
  return lowering.asFull(lowering.reshape(lowering.emit('MatMul', [x, weights]), shape), shape)
}

/** Where each index stands in a permutation. @param order `[batch, tokens]` */
export function invertByComparison(lowering: Lowering, order: Value): Value {
  const count = fixedCount(lowering, order.shape[1])
  const [, row] = columnAndRow(lowering, order)
  const stands = compared(lowering, 'Equal', [row, counting(lowering, count, [1, count, 1])])
  return weightedSum(lowering, stands, counting(lowering, count, [count, 1]), order.shape)
}

/** Indices from the highest score to the lowest, equal scores by lower index. @param scores `[batch, tokens]` */
export function descendingByComparison(lowering: Lowering, scores: Value): Value {
  const count = fixedCount(lowering, scores.shape[1])
  const [column, row] = columnAndRow(lowering, scores)
  const higher = compared(lowering, 'Greater', [row, column])
  const equal = compared(lowering, 'Equal', [row, column])
  // [token, other]: 1 where the other token has the lower index
  const earlier = compared(lowering, 'Greater', [
    counting(lowering, count, [1, count, 1]),
    counting(lowering, count, [1, 1, count]),
  ])
  const before = lowering.emit('Add', [higher, lowering.emit('Mul', [equal, earlier])])
  const ones = lowering.floats(new Array<number>(count).fill(1), [count, 1])
  // As many tokens as come before one: that is its place.
  return invertByComparison(lowering, weightedSum(lowering, before, ones, scores.shape))
}

/**
 * Picks tokens by a product with a matrix of zeros and ones, exact in floats of any size.
 * @param x `[batch, tokens]` or `[batch, tokens, width]` @param indices `[batch, picked]`
 */
export function gatherByProduct(lowering: Lowering, x: Value, indices: Value): Value {
  const count = fixedCount(lowering, x.shape[1])
  const [column] = columnAndRow(lowering, indices)
  const chosen = compared(lowering, 'Equal', [column, counting(lowering, count, [1, 1, count])])
  if (x.shape.length === 2) {
    return weightedSum(lowering, chosen, columnAndRow(lowering, x)[0], indices.shape)
  }
  const picked = lowering.emit('MatMul', [chosen, lowering.full(x)])
  return lowering.asFull(picked, [...indices.shape, ...x.shape.slice(2)])
}

/**
 * Adds tokens at their indices, zeros elsewhere: the product with the transposed matrix of {@link gatherByProduct}.
 * @param x `[batch, picked]` or `[batch, picked, width]` @param indices `[batch, picked]`
 */
export function scatterAddByProduct(lowering: Lowering, x: Value, indices: Value, tokens: Dim): Value {
  const count = fixedCount(lowering, tokens)
  const [, row] = columnAndRow(lowering, indices)
  const chosen = compared(lowering, 'Equal', [row, counting(lowering, count, [1, count, 1])])
  const shape = x.shape.with(1, tokens)
  if (x.shape.length === 2) return weightedSum(lowering, chosen, columnAndRow(lowering, x)[0], shape)
  return lowering.asFull(lowering.emit('MatMul', [chosen, lowering.full(x)]), shape)
}

/** The index of the largest of each row, equal ones by lower index. @param x `[..., count]` @returns `[...]` */
export function argmaxByComparison(lowering: Lowering, x: Value): string {
  const count = fixedCount(lowering, x.shape.at(-1))
  const name = lowering.full(x)
  const largest = lowering.reduce('ReduceMax', name, { axes: [-1], keepAxes: true })
  const isLargest = compared(lowering, 'Equal', [name, largest])
  // of the places of all largest, counted from the end, the furthest
  const fromEnd = lowering.floats(Array.from({ length: count }, (_, i) => count - i))
  const places = lowering.emit('Mul', [isLargest, fromEnd])
  const first = lowering.reduce('ReduceMax', places, { axes: [-1], keepAxes: false })
  return lowering.emit('Sub', [lowering.floats([count], []), first])
}

/** 1 at the index along a new last axis. @param indices `[...]` @returns `[..., classes]` */
export function oneHotByComparison(lowering: Lowering, indices: Value, classes: Dim): string {
  const count = fixedCount(lowering, classes)
  const column = lowering.reshape(lowering.full(indices), [...indices.shape, 1])
  return compared(lowering, 'Equal', [column, counting(lowering, count, [count])])
}
