import { type Shape, symbol } from '../dim.js'
import type { Initialiser } from '../initialiser.js'
import { defineOp } from '../op.js'
import { scopedName } from '../scope.js'
import type { Dtype, Tensor } from '../tensor.js'

const inputOp = defineOp<{ name: string; shape: Shape; dtype: Dtype; defines: string | undefined }>({
  name: 'Input',
  shape: (_, { shape }) => shape,
  dtype: (_, { dtype }) => dtype,
  leaf: ({ name, defines }) => ({ kind: 'input', name, ...(defines === undefined ? {} : { defines }) }),
  onnx: (lowering, _, { tensor, attributes }) =>
    lowering.asFull(lowering.input(tensor, attributes.name, attributes.dtype), tensor.shape),
})

/** A tensor that is fed at each run, e.g. the pictures. */
export function input(name: string, shape: Shape, { dtype = 'float32' as Dtype } = {}): Tensor {
  return inputOp([], { name, shape, dtype, defines: undefined })
}

/**
 * An int64 input of shape `[1]` whose value is a size of the graph: feeding `kept: 49` makes every shape
 * that mentions `kept` that large.
 */
export function sizeInput(name: string): { tensor: Tensor; size: ReturnType<typeof symbol> } {
  return { tensor: inputOp([], { name, shape: [1], dtype: 'int64', defines: name }), size: symbol(name) }
}

const parameterOp = defineOp<{ name: string; shape: readonly number[]; initialiser: Initialiser }>({
  name: 'Parameter',
  shape: (_, { shape }) => shape,
  dtype: () => 'float32',
  leaf: ({ name, initialiser }) => ({ kind: 'parameter', name, initialiser }),
  onnx: (lowering, _, { tensor }) => lowering.parameter(tensor),
})

/** A learned tensor, named by the current scope: in `scope('norm1')`, `parameter('weight', …)` is `norm1.weight`. */
export function parameter(name: string, shape: readonly number[], initialiser: Initialiser): Tensor {
  return parameterOp([], { name: scopedName(name), shape, initialiser })
}
