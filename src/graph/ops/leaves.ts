import { type Dim, type Shape, symbol } from '../dim.js'
import type { Initialiser } from '../initialiser.js'
import type { Dtype } from '../lowering.js'
import { defineOp } from '../op.js'
import { scopedName } from '../scope.js'
import type { Tensor } from '../tensor.js'

const inputOp = defineOp<{ name: string; shape: Shape; dtype: Dtype }>({
  name: 'Input',
  shape: (_, { shape }) => shape,
  dtype: (_, { dtype }) => dtype,
  leaf: ({ name }) => ({ kind: 'input', name, role: 'fed' }),
  onnx: (lowering, _, { tensor: { shape }, attributes: { name, dtype } }) =>
    lowering.asFull(lowering.input({ name, shape, dtype }), shape),
})

/** A tensor that the caller feeds by its name at each run, e.g. the pictures. */
export function input(name: string, shape: Shape, { dtype = 'float32' as Dtype } = {}): Tensor {
  return inputOp([], { name, shape, dtype })
}

const noiseInputOp = defineOp<{ name: string; shape: Shape }>({
  name: 'NoiseInput',
  shape: (_, { shape }) => shape,
  dtype: () => 'float32',
  leaf: ({ name }) => ({ kind: 'input', name, role: 'noise' }),
  onnx: (lowering, _, { tensor: { shape }, attributes: { name } }) =>
    lowering.asFull(lowering.input({ name, shape, dtype: 'float32' }), shape),
})

/**
 * Uniform random numbers in [0, 1). Whoever runs the graph draws them from a seed and feeds them, so that every
 * engine computes the same. Their name is what a seed is mixed with: two of different names are independent.
 */
export function noiseInput(name: string, shape: Shape): Tensor {
  return noiseInputOp([], { name, shape })
}

const sizeInputOp = defineOp<{ name: string }>({
  name: 'SizeInput',
  shape: () => [1],
  dtype: () => 'int64',
  leaf: ({ name }) => ({ kind: 'input', name, role: 'size', defines: name }),
  onnx: (lowering, _, { tensor: { shape }, attributes: { name } }) =>
    lowering.asFull(lowering.input({ name, shape, dtype: 'int64', defines: name }), shape),
})

/**
 * An int64 input of shape `[1]` whose value is a size of the graph: feeding `kept: 49` makes every shape
 * that mentions `kept` that large.
 */
export function sizeInput(name: string): { tensor: Tensor; size: Dim } {
  return { tensor: sizeInputOp([], { name }), size: symbol(name) }
}

const parameterOp = defineOp<{ name: string; shape: readonly number[]; initialiser: Initialiser }>({
  name: 'Parameter',
  shape: (_, { shape }) => shape,
  dtype: () => 'float32',
  leaf: ({ name, initialiser }) => ({ kind: 'parameter', name, initialiser, learns: true }),
  onnx: (lowering, _, { tensor: { shape }, attributes: { name } }) => lowering.parameter({ name, shape }),
})

/**
 * A learned tensor, named by the current scope: in `scope('norm1')`, `parameter('weight', …)` is `norm1.weight`.
 * @param shape `[]`: a single number
 */
export function parameter(name: string, shape: readonly number[], initialiser: Initialiser): Tensor {
  return parameterOp([], { name: scopedName(name), shape, initialiser })
}

const bufferOp = defineOp<{ name: string; shape: readonly number[]; initialiser: Initialiser }>({
  name: 'Buffer',
  shape: (_, { shape }) => shape,
  dtype: () => 'float32',
  leaf: ({ name, initialiser }) => ({ kind: 'parameter', name, initialiser, learns: false }),
  onnx: (lowering, _, { tensor: { shape }, attributes: { name } }) => lowering.parameter({ name, shape }),
})

/**
 * A tensor that is stored and loaded as parameters are but never learns: a running mean, a fixed random matrix. It
 * has no gradient and no part in the optimiser, and the counts of parameters leave it out, as those of papers do
 * (`sum(p.numel() for p in model.parameters())` in PyTorch).
 */
export function buffer(name: string, shape: readonly number[], initialiser: Initialiser): Tensor {
  return bufferOp([], { name: scopedName(name), shape, initialiser })
}
