import type { Cost } from './cost.js'
import type { Dim, Shape } from './dim.js'
import type { Initialiser } from './initialiser.js'
import type { Lowering, Value } from './lowering.js'

export type Dtype = 'float32' | 'int64'

/** What a leaf of the graph stands for. Everything that isn't a leaf is computed. */
export type Leaf =
  /** Fed at each run. `defines`: its single value is the run-time size of that name. */
  | { readonly kind: 'input'; readonly name: string; readonly defines?: string }
  /** Learned. Its name is the one in weights files. */
  | { readonly kind: 'parameter'; readonly name: string; readonly initialiser: Initialiser }

/**
 * What an op's gradient rule says of one of its inputs: the input's gradient; or the gradient of the part
 * `[start, end)` along an axis, the rest getting none from this op; or undefined: no gradient.
 */
export type GradientPart =
  | Tensor
  | { readonly gradient: Tensor; readonly axis: number; readonly start: Dim; readonly end: Dim }
  | undefined

/**
 * A symbolic tensor: what an op applied to other tensors gives. It holds no numbers; an immutable node of
 * the graph from which shapes, parameter names, cost and ONNX are read off.
 */
export interface Tensor {
  /** Rises in order of creation, so inputs always have smaller ids. */
  readonly id: number
  readonly op: string
  readonly inputs: readonly Tensor[]
  /** The op's settings, for printing. */
  readonly attributes: Readonly<Record<string, unknown>>
  readonly shape: Shape
  readonly dtype: Dtype
  /** Where it was made, e.g. `blocks.3.attn`. */
  readonly scope: string
  readonly leaf?: Leaf
  /** The op's rules, bound to this node. */
  readonly cost: () => Cost
  readonly lower: (lowering: Lowering, inputs: readonly Value[]) => Value
  readonly differentiate?: (outputGradient: Tensor) => readonly GradientPart[]
}

/** The size along an axis; negative axes count from the end. */
export function sizeAt(tensor: Tensor, axis: number): Dim {
  const size = tensor.shape.at(axis)
  if (size === undefined) throw new Error(`no axis ${axis} in a tensor of rank ${tensor.shape.length}`)
  return size
}

/** An axis counted from the front, given from either end. */
export function axisOf(tensor: Tensor, axis: number): number {
  sizeAt(tensor, axis)
  return axis < 0 ? tensor.shape.length + axis : axis
}
