import { BlvitError } from '../base/blvit-error.js'
import { noCost } from './cost.js'
import { type Dim, formatShape, type Shape, sameDim } from './dim.js'
import type { Dtype, Lowering, Value } from './lowering.js'
import { atScope, currentScope } from './scope.js'
import type { CountedSize, Cut, GradientPart, Leaf, Part, Tensor } from './tensor.js'

/** Settings of an op that are fixed when the graph is built. */
export type Attributes = Readonly<Record<string, unknown>>

/** An op in one record. Adding an op is writing one of these in `graph/ops/` and one line in its index. */
export interface OpDefinition<A extends Attributes> {
  readonly name: string
  /** The result's shape. Throw through {@link shapeError} when the inputs don't fit. */
  shape(inputs: readonly Tensor[], attributes: A): Shape
  /** Default: the first input's. */
  dtype?(inputs: readonly Tensor[], attributes: A): Dtype
  /** Default: free, as element-wise ops, views and copies are in every convention. */
  cost?(inputs: readonly Tensor[], output: Shape, attributes: A): Readonly<Record<string, Dim>>
  /** Set by the leaves of the graph: inputs and parameters. */
  leaf?(attributes: A): Leaf
  /** Set by an op whose output has as many elements along an axis as its inputs' numbers decide. */
  counts?(inputs: readonly Tensor[], attributes: A): CountedSize
  /**
   * Reverse mode: the gradient of each input, in their order, as new tensors made of ops; undefined for an
   * input that has none, such as indices. Absent: a loss can't be differentiated through this op.
   * @param outputGradient of the output's shape
   */
  gradient?(
    outputGradient: Tensor,
    inputs: readonly Tensor[],
    node: { output: Tensor; attributes: A },
  ): readonly GradientPart[]
  /** Set by ops of which a part can be made of parts of their inputs. Its result is undefined for a part of which that isn't so. */
  cut?(part: Part, inputs: readonly Tensor[], node: { output: Shape; attributes: A }): Cut | undefined
  /** Set by an op that is no more than a part of its only input. */
  takes?(attributes: A): Part | undefined
  onnx(lowering: Lowering, inputs: readonly Value[], node: { tensor: Tensor; attributes: A }): Value
}

/** Applies the op: checks shapes and makes the node. */
export type Op<A extends Attributes> = (inputs: readonly Tensor[], attributes: A) => Tensor

let made = 0

export function defineOp<A extends Attributes = Record<string, never>>(definition: OpDefinition<A>): Op<A> {
  const apply: Op<A> = (inputs, attributes) => {
    const shape = definition.shape(inputs, attributes)
    const leaf = definition.leaf?.(attributes)
    const counts = definition.counts?.(inputs, attributes)
    const { gradient } = definition
    const tensor: Tensor = {
      id: made++,
      op: definition.name,
      inputs,
      attributes,
      shape,
      dtype: definition.dtype?.(inputs, attributes) ?? inputs[0]?.dtype ?? 'float32',
      scope: currentScope(),
      ...(leaf ? { leaf } : {}),
      ...(counts ? { counts } : {}),
      cost: () => ({ ...noCost, ...definition.cost?.(inputs, shape, attributes) }),
      lower: (lowering, values) => definition.onnx(lowering, values, { tensor, attributes }),
      ...(gradient
        ? {
            differentiate: (outputGradient) =>
              gradient(outputGradient, inputs, { output: tensor, attributes }),
          }
        : {}),
      cut: (part) => definition.cut?.(part, inputs, { output: shape, attributes }),
      takes: definition.takes?.(attributes),
      again: (others) => atScope(tensor.scope, () => apply(others, attributes)),
    }
    return tensor
  }
  return apply
}

/** {@link OpDefinition.cut} of an op that works element by element, with numpy's broadcasting. */
export function cutElementwise(part: Part, inputs: readonly Tensor[], { output }: { output: Shape }): Cut {
  const parts = inputs.map(({ shape }) => {
    const axis = part.axis - (output.length - shape.length)
    return axis < 0 || shape[axis] === 1 ? undefined : { ...part, axis }
  })
  return { parts }
}

/** {@link OpDefinition.cut} of an op that looks along the last axis of its first input and takes the others whole. */
export function cutRows(
  part: Part,
  inputs: readonly Tensor[],
  { output }: { output: Shape },
): Cut | undefined {
  if (part.axis === output.length - 1) return undefined
  return { parts: inputs.map((_, i) => (i === 0 ? part : undefined)) }
}

/** A shape complaint that names the place and every operand's shape. */
export function shapeError(op: string, inputs: readonly Tensor[], expected: string): BlvitError {
  const place = currentScope() === '' ? 'the graph' : currentScope()
  const shapes = inputs.map((input) => formatShape(input.shape)).join(' and ')
  return new BlvitError('SHAPE_MISMATCH', `${op} in ${place} got ${shapes}, but needs ${expected}.`, {
    scope: currentScope(),
    shapes: inputs.map((input) => input.shape.map(String)),
  })
}

/** The i-th operand; ops are called through typed wrappers, so its absence is a bug. */
export function operand<T>(inputs: readonly T[], index: number): T {
  const found = inputs[index]
  if (found === undefined) throw new Error(`blvit bug: operand ${index} is missing`)
  return found
}

/**
 * The shape that all operands of an op broadcast to.
 * @throws BlvitError `SHAPE_MISMATCH` if there is none
 */
export function broadcastShape(op: string, inputs: readonly Tensor[]): Shape {
  const shape = inputs.reduce<Shape | undefined>((all, next) => all && broadcast(all, next.shape), [])
  if (!shape) throw shapeError(op, inputs, 'shapes that broadcast to each other')
  return shape
}

/** The shape that two operands broadcast to (numpy's rule), or undefined if they don't. */
export function broadcast(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length)
  const shape: Dim[] = []
  for (let axis = -rank; axis < 0; axis++) {
    const left = a.at(axis) ?? 1
    const right = b.at(axis) ?? 1
    if (left === 1 || sameDim(left, right)) shape.push(right)
    else if (right === 1) shape.push(left)
    else return undefined
  }
  return shape
}
