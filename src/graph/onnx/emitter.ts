import { assert, defined } from '../../base/assert.js'
import { type Bindings, type Dim, elements, formatDim, isPositive, type Shape, sameShape } from '../dim.js'
import type {
  AttributeValue,
  FloatType,
  Lowering,
  Precision,
  StoredLeaf,
  Target,
  Value,
} from '../lowering.js'
import type { NodeProto, TensorProto, ValueInfoProto } from './messages.js'
import { cutRanges, type StorageDtype, type StorageOf, type StoredRange } from './parameter-storage.js'
import {
  attributeProto,
  elementTypes,
  floatTensor,
  integerTensor,
  storedTensor,
  valueInfoProto,
} from './proto.js'
import { RunTimeSizes } from './run-time-sizes.js'

/** In characters, of constants that are named by what they hold. */
const longestName = 64

type EmittedAttributes = Readonly<Record<string, AttributeValue>>

/** Collects ONNX nodes, constants and inputs while the ops of a graph are lowered one after the other. */
export class Emitter implements Lowering {
  readonly nodes: NodeProto[] = []
  readonly initialisers: TensorProto[] = []
  readonly inputs: ValueInfoProto[] = []
  /** The scope that nodes are named after; set before each tensor is lowered. */
  scope = ''
  /** What the tensor being lowered is computed in; set likewise. */
  floatType: FloatType = 'float32'
  /** Set likewise. */
  differentiated = false

  private readonly uses = new Map<string, number>()
  private readonly constants = new Map<string, string>()
  private readonly sizes: RunTimeSizes
  private readonly computed = new Map<string, string>()
  private readonly parameters = new Map<string, string>()

  constructor(
    readonly target: Target,
    readonly precision: Precision,
    private readonly storageOf: StorageOf,
    sizes: Bindings,
  ) {
    this.sizes = new RunTimeSizes(this, sizes)
  }

  emit(operator: string, inputs: readonly string[], attributes: EmittedAttributes = {}): string {
    return defined(this.emitMany(operator, inputs, 1, attributes)[0], 'the output of a node')
  }

  emitMany(
    operator: string,
    inputs: readonly string[],
    outputs: number,
    attributes: EmittedAttributes = {},
  ): string[] {
    const [opType, domain] = nameAndDomain(operator)
    const name = this.uniqueName(this.scope === '' ? opType : `${this.scope}/${opType}`)
    const output = Array.from({ length: outputs }, (_, i) => (outputs === 1 ? name : `${name}:${i}`))
    this.nodes.push({
      name,
      ...(domain === undefined ? { opType } : { opType, domain }),
      input: inputs,
      output,
      attribute: Object.entries(attributes).map(([key, value]) => attributeProto(key, value)),
    })
    return output
  }

  reduce(operator: string, name: string, options: { axes: readonly number[]; keepAxes: boolean }): string {
    const { axes } = options
    const keepdims = Number(options.keepAxes)
    // axes are inputs from opset 18 on, of ReduceSum from 13 on
    return this.target === 'native' || operator === 'ReduceSum'
      ? this.emit(operator, [name, this.integers(axes)], { keepdims })
      : this.emit(operator, [name], { axes, keepdims })
  }

  private uniqueName(name: string): string {
    const uses = this.uses.get(name) ?? 0
    this.uses.set(name, uses + 1)
    return uses === 0 ? name : `${name}_${uses}`
  }

  asFull(name: string, shape: Shape): Value {
    return { shape, full: name }
  }

  asRows(name: string, shape: Shape): Value {
    return shape.length === 2 ? { shape, full: name, rows: name } : { shape, rows: name }
  }

  full(value: Value): string {
    if (value.full !== undefined) return value.full
    value.full = value.parameter
      ? this.stored(value.parameter)
      : this.reshape(defined(value.rows, 'a form of the value'), value.shape)
    return value.full
  }

  rows(value: Value): string {
    if (value.rows !== undefined) return value.rows
    const full = this.full(value)
    const width = defined(value.shape.at(-1), 'the width of a token tensor')
    value.rows =
      value.shape.length === 2 ? full : this.reshape(full, [elements(value.shape.slice(0, -1)), width])
    return value.rows
  }

  elementwise(operator: string, operands: readonly Value[], shape: Shape): Value {
    const leading = shape.slice(0, -1)
    const spansRows = (value: Value) => sameShape(value.shape.slice(0, -1), leading)
    const inRows =
      shape.length > 2 &&
      operands.some((value) => value.rows !== undefined && spansRows(value)) &&
      operands.every((value) => value.shape.length <= 1 || spansRows(value))
    const names = operands.map((value) => (inRows && spansRows(value) ? this.rows(value) : this.full(value)))
    const output = this.emit(operator, names)
    return inRows ? this.asRows(output, shape) : this.asFull(output, shape)
  }

  integers(values: readonly number[]): string {
    const key = `[${values.join(',')}]`
    return this.constant(key, (name) => integerTensor(name, values))
  }

  floats(
    values: readonly number[],
    shape: readonly number[] = [values.length],
    type: FloatType = this.floatType,
  ): string {
    const key = `float[${shape.join(',')}](${values.join(',')})`
    const exact = this.constant(key, (name) => floatTensor(name, values, shape))
    // folded by the engine when the session starts, as all casts of what is constant
    return type === 'float32' ? exact : this.once(`${type} of ${key}`, () => this.cast(exact, type))
  }

  toFloats(name: string): string {
    return this.cast(name, this.floatType)
  }

  private cast(name: string, type: FloatType): string {
    return this.emit('Cast', [name], { to: elementTypes[type] })
  }

  mapForm(value: Value, emit: (name: string) => string): Value {
    return value.rows === undefined
      ? this.asFull(emit(this.full(value)), value.shape)
      : this.asRows(emit(value.rows), value.shape)
  }

  /** The value in another float type. */
  inFloats(value: Value, type: FloatType): Value {
    return this.mapForm(value, (name) => this.cast(name, type))
  }

  private constant(key: string, make: (name: string) => TensorProto): string {
    const known = this.constants.get(key)
    if (known !== undefined) return known
    // a table is named by its number, as its content would be too long a name
    const name = key.length <= longestName ? key : `constant #${this.constants.size}`
    this.constants.set(key, name)
    this.initialisers.push(make(name))
    return name
  }

  size(dim: Dim): string {
    return this.sizes.size(dim)
  }

  /** From here on a size is known as that of an axis of a value. */
  defineSize(name: string, value: Value, axis: number): void {
    this.sizes.define(name, () => this.emit('Shape', [this.full(value)], { start: axis, end: axis + 1 }))
  }

  private once(key: string, make: () => string): string {
    const found = this.computed.get(key) ?? make()
    this.computed.set(key, found)
    return found
  }

  decided(shape: Shape): Shape {
    return this.sizes.decided(shape)
  }

  shape(shape: Shape): string {
    return this.sizes.shape(shape)
  }

  reshape(name: string, symbolic: Shape): string {
    const shape = this.decided(symbolic)
    // Reshape works out one size by itself: give it the first symbolic one, so most shapes are constants.
    const inferred = shape.findIndex((dim) => typeof dim !== 'number')
    if (shape.every((dim, axis) => axis === inferred || isPositive(dim))) {
      return this.emit('Reshape', [
        name,
        this.shape(shape.map((dim, axis) => (axis === inferred ? -1 : dim))),
      ])
    }
    // Beside a 0, an empty part of the tokens, no size can be worked out; and a 0 would mean "as before".
    return this.emit('Reshape', [name, this.shape(shape)], { allowzero: 1 })
  }

  input(leaf: Parameters<Lowering['input']>[0]): string {
    this.declareInput(leaf)
    const { name, dtype } = leaf
    const type = this.floatType
    if (dtype !== 'float32' || type === 'float32') return name
    return this.once(`${type} of ${name}`, () => this.cast(name, type))
  }

  private declareInput({ name, shape, dtype, defines }: Parameters<Lowering['input']>[0]): void {
    // A graph may make the same input in several places; ONNX wants it declared once.
    if (this.inputs.some((declared) => declared.name === name)) return
    this.inputs.push(valueInfoProto(name, dtype, this.decided(shape)))
    if (defines !== undefined) this.sizes.define(defines, () => name)
    shape.forEach((dim, axis) => {
      if (typeof dim === 'number') return
      const sizeOf = () => this.emit('Shape', [name], { start: axis, end: axis + 1 })
      if (!this.sizes.has(formatDim(dim))) this.sizes.define(formatDim(dim), sizeOf)
    })
  }

  parameter(leaf: Parameters<Lowering['parameter']>[0]): Value {
    return this.storageOf(leaf.name) === 'fed'
      ? this.asFull(this.input({ ...leaf, dtype: 'float32' }), leaf.shape)
      : { shape: leaf.shape, parameter: { ...leaf, type: this.floatType } }
  }

  parameterRows(parameter: StoredLeaf, start: number, end: number): Value {
    return this.asFull(this.stored(parameter, [start, end]), parameter.shape.with(0, end - start))
  }

  /** A parameter, or rows of it, as an initialiser; nothing is copied, a row range is a byte range. */
  private stored(parameter: StoredLeaf, rows?: readonly [start: number, end: number]): string {
    const { name, type } = parameter
    const shape = parameter.shape.map(numberOf)
    // a single number has no rows: it is stored as a whole
    const [rowCount = 1, ...rowShape] = shape
    const [start, end] = rows ?? [0, rowCount]
    const label = start === 0 && end === rowCount ? name : `${name}[${start}:${end}]`
    const known = this.parameters.get(`${label} ${type}`)
    if (known !== undefined) return known
    const storage = this.storageOf(name)
    assert(storage !== 'fed', `the fed parameter ${name} is stored`)
    const { dtype, ranges } = storage
    const totalBytes = ranges.reduce((sum, range) => sum + range.sizeBytes, 0)
    const rowBytes = totalBytes / rowCount
    const parts = cutRanges(ranges, start * rowBytes, end * rowBytes).map((range, i, all) => {
      const partName = all.length === 1 && isStoredAs(dtype, type) ? label : `${label}.${dtype}.${i}`
      const partShape = shape.length === 0 ? [] : [range.sizeBytes / rowBytes, ...rowShape]
      const part = this.initialiser(partName, partShape, dtype, range)
      // The engine folds this cast once, when the session starts.
      return isStoredAs(dtype, type) ? part : this.cast(part, type)
    })
    const output = parts.length === 1 ? defined(parts[0], 'a range') : this.emit('Concat', parts, { axis: 0 })
    this.parameters.set(`${label} ${type}`, output)
    return output
  }

  private initialiser(name: string, shape: readonly number[], dtype: StorageDtype, range: StoredRange) {
    if (!this.initialisers.some((made) => made.name === name)) {
      this.initialisers.push(storedTensor(name, shape, dtype, range))
    }
    return name
  }
}

/** `com.microsoft.MultiHeadAttention` → `MultiHeadAttention` of `com.microsoft`; ONNX's own have no domain. */
function nameAndDomain(operator: string): readonly [opType: string, domain: string | undefined] {
  const dot = operator.lastIndexOf('.')
  return dot < 0 ? [operator, undefined] : [operator.slice(dot + 1), operator.slice(0, dot)]
}

function isStoredAs(dtype: StorageDtype, type: FloatType): boolean {
  return (type === 'float32' && dtype === 'F32') || (type === 'float16' && dtype === 'F16')
}

function numberOf(dim: Dim): number {
  assert(typeof dim === 'number', 'a parameter has a symbolic size')
  return dim
}
