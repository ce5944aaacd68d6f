import { defined } from '../../base/assert.js'
import { BlvitError } from '../../base/blvit-error.js'
import type { Bindings } from '../dim.js'
import { floatTypes } from '../float-types.js'
import { differentiatedScopes } from '../gradients.js'
import type { Graph } from '../graph.js'
import type { FloatType, Precision, Target, Value } from '../lowering.js'
import type { Tensor } from '../tensor.js'
import { Emitter } from './emitter.js'
import { encodeModel } from './messages.js'
import type { StorageOf } from './parameter-storage.js'
import { integerTensor, valueInfoProto } from './proto.js'

/** Opset and IR version a target reads. 23 brought Attention; 17 is what Debian 12's ONNX knows. */
const versions: Readonly<Record<Target, { opset: number; ir: number }>> = {
  native: { opset: 23, ir: 11 },
  standard: { opset: 17, ir: 8 },
  webgpu: { opset: 17, ir: 8 },
}

export interface OnnxOptions {
  /** Default `native`. */
  readonly target?: Target
  /** Default `fp32`. */
  readonly precision?: Precision | undefined
  readonly storageOf: StorageOf
  /** Sizes that every run will have, e.g. `{ batch: 16 }`: what follows from them is a constant in the model. */
  readonly sizes?: Bindings | undefined
  /** Values of size inputs that a caller may leave out, e.g. `{ kept: 49 }`. */
  readonly defaults?: Readonly<Record<string, number>>
  /** Written into the model's metadata. */
  readonly metadata?: Readonly<Record<string, string>>
}

/** In ONNX, what is fed, what is stored and what comes out share one space of names. */
function checkNames({ outputs, nodes }: Graph): void {
  for (const { leaf } of nodes) {
    if (leaf === undefined || !Object.hasOwn(outputs, leaf.name)) continue
    const message = `The output ${leaf.name} has the name of ${leaf.kind === 'input' ? 'an input' : 'a parameter'}. Call it otherwise.`
    throw new BlvitError('BAD_OPTION', message, { output: leaf.name })
  }
}

/** Sizes that a graph finds out can't be decided before; on WebGPU those that a caller would feed must be. */
function checkSizes({ name, nodes }: Graph, target: Target, sizes: Bindings): void {
  for (const { counts, leaf } of nodes) {
    if (counts && counts.size in sizes) {
      const message = `The size ${counts.size} of ${name} is counted when it runs: it can't be fixed at ${sizes[counts.size]}.`
      throw new BlvitError('BAD_OPTION', message, { size: counts.size })
    }
    const isOpen = leaf?.kind === 'input' && leaf.role === 'size' && !(leaf.defines in sizes)
    if (isOpen && target === 'webgpu') {
      throw new BlvitError(
        'BAD_OPTION',
        `${name} has the input "${leaf.name}" for a size, but on WebGPU sizes must be known when a graph is loaded. ` +
          `Build the model with a fixed one (sizes: { ${leaf.defines}: … }), or write it for another target.`,
        { size: leaf.defines },
      )
    }
  }
}

/**
 * The graph as a serialised ONNX model. Node names are the scopes of the graph.
 * @throws BlvitError `BAD_OPTION` for sizes that are open and mustn't be, or the other way round, and for an output that is
 *   called like an input or a parameter; `SHAPE_MISMATCH` for
 *   one that nothing tells; `UNSUPPORTED` for an op that the target can't run
 */
export function toOnnx(graph: Graph, options: OnnxOptions): Uint8Array {
  const {
    target = 'native',
    precision = 'fp32',
    storageOf,
    sizes = {},
    defaults = {},
    metadata = {},
  } = options
  checkNames(graph)
  checkSizes(graph, target, sizes)
  const typeOf = floatTypes(graph.nodes, precision)
  const emitter = new Emitter(target, precision, storageOf, sizes)
  const values = new Map<Tensor, Value>()
  const converted = new Map<Tensor, Value>()
  const valueFor = (tensor: Tensor, type: FloatType) => {
    const value = defined(values.get(tensor), `the value of %${tensor.id}`)
    if (tensor.dtype !== 'float32' || typeOf(tensor) === type) return value
    const other = converted.get(tensor) ?? emitter.inFloats(value, type)
    converted.set(tensor, other)
    return other
  }
  const differentiated = differentiatedScopes(graph)
  for (const tensor of graph.nodes) {
    const type = typeOf(tensor)
    emitter.scope = tensor.scope
    emitter.floatType = type
    emitter.differentiated = differentiated.has(tensor.scope)
    const inputs = tensor.inputs.map((input) => valueFor(input, type))
    const value = tensor.lower(emitter, inputs)
    if (tensor.counts) emitter.defineSize(tensor.counts.size, value, tensor.counts.axis)
    values.set(tensor, value)
  }
  const output = Object.entries(graph.outputs).map(([name, tensor]) => {
    emitter.scope = tensor.scope
    const from = emitter.full(valueFor(tensor, 'float32'))
    // Renames the producing node's output; the engine removes the copy.
    emitter.scope = 'output'
    emitter.emit('Identity', [from])
    defined(emitter.nodes.at(-1), 'the identity node').output = [name]
    return valueInfoProto(name, target === 'webgpu' ? 'float32' : tensor.dtype, emitter.decided(tensor.shape))
  })
  for (const [name, value] of Object.entries(defaults))
    emitter.initialisers.push(integerTensor(name, [value]))
  const { opset, ir } = versions[target]
  return encodeModel({
    irVersion: ir,
    producerName: 'blvit',
    opset,
    graph: {
      name: graph.name,
      node: emitter.nodes,
      initializer: emitter.initialisers,
      input: emitter.inputs,
      output,
    },
    metadata,
  })
}
