import { type Dim, type Shape, symbol } from '../dim.js'
import type { Initialiser } from '../initialiser.js'
import type { Dtype } from '../lowering.js'
import { defineOp, type Op } from '../op.js'
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

interface Stored extends Record<string, unknown> {
  readonly name: string
  readonly shape: readonly number[]
  readonly initialiser: Initialiser
}

/** A leaf that is stored beside the graph. */
function storedOp(name: string, is: { readonly learns: boolean; readonly counted: boolean }): Op<Stored> {
  return defineOp<Stored>({
    name,
    shape: (_, { shape }) => shape,
    dtype: () => 'float32',
    leaf: ({ name, initialiser }) => ({ kind: 'parameter', name, initialiser, ...is }),
    onnx: (lowering, _, { tensor: { shape }, attributes: { name } }) => lowering.parameter({ name, shape }),
  })
}

const parameterOp = storedOp('Parameter', { learns: true, counted: true })
const fixedParameterOp = storedOp('FixedParameter', { learns: false, counted: true })
const bufferOp = storedOp('Buffer', { learns: false, counted: false })

/**
 * A learned tensor, named by the current scope: in `scope('norm1')`, `parameter('weight', …)` is `norm1.weight`.
 * @param shape `[]`: a single number
 */
export function parameter(name: string, shape: readonly number[], initialiser: Initialiser): Tensor {
  return parameterOp([], { name: scopedName(name), shape, initialiser })
}

/**
 * A tensor that is stored and counted as parameters are but keeps the numbers that it starts with, as PyTorch's
 * `nn.Parameter(…, requires_grad=False)`.
 */
export function fixedParameter(name: string, shape: readonly number[], initialiser: Initialiser): Tensor {
  return fixedParameterOp([], { name: scopedName(name), shape, initialiser })
}

/**
 * A tensor that is stored and loaded as parameters are but never learns: a running mean. It
 * has no gradient and no part in the optimiser, and the counts of parameters leave it out, as those of papers do
 * (`sum(p.numel() for p in model.parameters())` in PyTorch).
 */
export function buffer(name: string, shape: readonly number[], initialiser: Initialiser): Tensor {
  return bufferOp([], { name: scopedName(name), shape, initialiser })
}
