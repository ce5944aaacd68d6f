import type { Cost } from './cost.js'
import type { Dim, Shape } from './dim.js'
import type { Initialiser } from './initialiser.js'
import type { Dtype, Lowering, Value } from './lowering.js'

/** What is fed at each run, and by whom. */
export type InputLeaf = { readonly kind: 'input'; readonly name: string } & (
  | {
      /** `fed`: the caller gives it by its name. `noise`: uniform numbers in [0, 1), drawn from a seed. */
      readonly role: 'fed' | 'noise'
    }
  | {
      /** Its single value is the run-time size of the name `defines`. */
      readonly role: 'size'
      readonly defines: string
    }
)

/** What is stored beside the graph. Its name is the one in weights files. */
interface ParameterLeaf {
  readonly kind: 'parameter'
  readonly name: string
  readonly initialiser: Initialiser
  /** False for what is stored and loaded, but never trained. */
  readonly learns: boolean
  /** Whether counts of parameters mention it: not where it is a buffer, such as a running mean. */
  readonly counted: boolean
}

/** What a leaf of the graph stands for. Everything that isn't a leaf is computed. */
export type Leaf = InputLeaf | ParameterLeaf

/**
 * What an op's gradient rule says of one of its inputs: the input's gradient; or the gradient of the part
 * `[start, end)` along an axis, the rest getting none from this op; or undefined: no gradient.
 */
export type GradientPart =
  | Tensor
  | { readonly gradient: Tensor; readonly axis: number; readonly start: Dim; readonly end: Dim }
  | undefined

/** A size that an op finds out, e.g. how many tokens pass a threshold. */
export interface CountedSize {
  readonly size: string
  readonly axis: number
  /** What it is at most. */
  readonly most: Dim
}

/** The elements `[start, end)` along an axis. */
export interface Part {
  readonly axis: number
  readonly start: Dim
  readonly end: Dim
}

/** What makes a part of a tensor. */
export type Cut =
  /** The same op of parts of its inputs, undefined for one that is needed whole. */
  | { readonly parts: readonly (Part | undefined)[] }
  /** No more than a part of one of its inputs. */
  | { readonly input: number; readonly part: Part }

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
  /** The size of an axis that only its numbers decide: the shape has the symbol `size` there. */
  readonly counts?: CountedSize
  /** The op's rules, bound to this node. */
  readonly cost: () => Cost
  readonly lower: (lowering: Lowering, inputs: readonly Value[]) => Value
  readonly differentiate?: (outputGradient: Tensor) => readonly GradientPart[]
  /** See `OpDefinition.cut`. */
  readonly cut: (part: Part) => Cut | undefined
  /** What of its input it is, if it is no more than that. */
  readonly takes: Part | undefined
  /** The same op, in the same scope, on other tensors. */
  readonly again: (inputs: readonly Tensor[]) => Tensor
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
