import type { Dim, Shape } from './dim.js'

/** What the elements of a tensor are. */
export type Dtype = 'float32' | 'int64'

/** What a floating-point tensor of a graph is computed in. */
export type FloatType = 'float32' | 'float16'

/**
 * Who will run the ONNX graph.
 * - `native`: the CPU provider of current ONNX Runtime, native or WebAssembly: fused operators (Attention, Gelu).
 * - `standard`: operators of opset 17 only: older runtimes, and the ONNX checker of Debian 12.
 * - `webgpu`: the standard ones, and of these only such as ONNX Runtime's WebGPU provider runs itself instead of
 *   leaving them to the processor. It has no integers of 64 bits, so sizes other than the batch's must be numbers,
 *   and token indices are float32, as inputs and outputs of the graph too.
 */
export type Target = 'native' | 'standard' | 'webgpu'

/**
 * What a graph computes in. Its inputs and outputs are float32 whatever it is.
 * - `fp32`: all of it in float32, as the model was trained.
 * - `fp16`: weights and activations in float16; what ranks tokens stays float32, see `float-types.ts`.
 * - `int8`: wide linear maps in whole numbers of 8 bits, see `ops/int8-product.ts`; the rest in float32.
 */
export type Precision = 'fp32' | 'fp16' | 'int8'

/** A leaf of the graph as lowering sees it: what is fed at each run, or stored beside the graph. */
interface NamedLeaf {
  readonly name: string
  readonly shape: Shape
}

/** A parameter, and what it is computed with in. */
export interface StoredLeaf extends NamedLeaf {
  readonly type: FloatType
}

/**
 * A lowered tensor. A token tensor `[batch, tokens, width]` has two equally valid ONNX forms: as it is, and
 * as flat rows `[batch·tokens, width]`, which 2-D Gemm wants. Each form is made at most once, when asked for.
 */
export interface Value {
  readonly shape: Shape
  /** The parameter this value is, if it is one: lets an op read a part of it straight from the weights file. */
  readonly parameter?: StoredLeaf
  full?: string
  rows?: string
  /** Its rows as whole numbers of 8 bits. */
  int8Rows?: { readonly rows: string; readonly scale: string; readonly zeroPoint: string }
}

export type AttributeValue = number | string | readonly number[] | { readonly float: number }

/** What an op's `onnx` rule may do: append ONNX nodes, named after the op's scope, and make constants. */
export interface Lowering {
  readonly target: Target
  readonly precision: Precision
  /**
   * Whether the graph also holds the backward pass of the tensor that is being lowered. That asks again for what a
   * fused operator keeps to itself, the attention map or GELU's erf; written out, an engine computes it once.
   */
  readonly differentiated: boolean
  /** Appends a node with one output and returns that output's name. Integers become INT; `{ float }` FLOAT. */
  emit(
    operator: string,
    inputs: readonly string[],
    attributes?: Readonly<Record<string, AttributeValue>>,
  ): string
  /** Like {@link emit} for operators with several outputs. */
  emitMany(
    operator: string,
    inputs: readonly string[],
    outputs: number,
    attributes?: Readonly<Record<string, AttributeValue>>,
  ): string[]
  /** A reducing operator (ReduceMax, ReduceMean, …), whose axes are an attribute or an input by the target's opset. */
  reduce(operator: string, name: string, options: { axes: readonly number[]; keepAxes: boolean }): string
  /** Wraps an output that has the tensor's own shape. */
  asFull(name: string, shape: Shape): Value
  /** Wraps an output of shape `[product of leading dims, last dim]`. */
  asRows(name: string, shape: Shape): Value
  /** A node for each element of a value, in the form that the value has. */
  mapForm(value: Value, emit: (name: string) => string): Value
  full(value: Value): string
  rows(value: Value): string
  /**
   * Emits an element-wise operator in whichever form its operands already have.
   * Operands of rank ≤ 1 broadcast over the last axis.
   */
  elementwise(operator: string, operands: readonly Value[], shape: Shape): Value
  /** A constant of 64-bit integers, shape `[values.length]`. */
  integers(values: readonly number[]): string
  /**
   * A constant of floats, in the type that the tensor being lowered is computed in.
   * @param type another type, e.g. for indices that are compared as floats
   */
  floats(values: readonly number[], shape?: readonly number[], type?: FloatType): string
  /** Truth values or whole numbers as floats of the type that the tensor being lowered is computed in. */
  toFloats(name: string): string
  /** A shape with the numbers of the sizes that were decided when the graph was loaded. */
  decided(shape: Shape): Shape
  /** The run-time value of a size as an int64 vector of one element. */
  size(dim: Dim): string
  /** A shape as an int64 vector, sizes computed at run time where needed. */
  shape(shape: Shape): string
  reshape(name: string, shape: Shape): string
  /**
   * Declares a graph input and returns its name.
   * @param defines the size that is its single value
   */
  input(leaf: NamedLeaf & { readonly dtype: Dtype; readonly defines?: string | undefined }): string
  /** The parameter that is being lowered. */
  parameter(leaf: NamedLeaf): Value
  /** Rows `[start, end)` of a parameter along the first axis, straight from its storage. */
  parameterRows(parameter: StoredLeaf, start: number, end: number): Value
}
