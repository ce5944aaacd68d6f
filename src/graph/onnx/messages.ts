// The messages of onnx.proto, as far as blvit writes them. Numbers of fields and of enums are the format itself:
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
import { MessageWriter } from './message-writer.js'

export const AttributeType = { FLOAT: 1, INT: 2, STRING: 3, INTS: 7 } as const
export const DataType = { FLOAT: 1, INT64: 7, FLOAT16: 10, BFLOAT16: 16 } as const
const externalLocation = 1
/** Of operators that aren't ONNX's own: ONNX Runtime has had one version of them so far. */
const vendorOpset = 1

type NumberOf<Enum> = Enum[keyof Enum]

export interface AttributeProto {
  readonly name: string
  readonly type: NumberOf<typeof AttributeType>
  readonly f?: number
  readonly i?: number
  readonly s?: string
  readonly ints?: readonly number[]
}

export interface NodeProto {
  readonly name: string
  readonly opType: string
  /** Whose operator it is; absent for ONNX's own. */
  readonly domain?: string
  readonly input: readonly string[]
  output: readonly string[]
  readonly attribute: readonly AttributeProto[]
}

/** A tensor's numbers lie in one of the fields after `dataType`, or in a file beside the model. */
export interface TensorProto {
  readonly name: string
  readonly dims: readonly number[]
  readonly dataType: NumberOf<typeof DataType>
  readonly floatData?: readonly number[]
  readonly int64Data?: readonly number[]
  readonly rawData?: Uint8Array
  readonly externalData?: Readonly<Record<string, string>>
}

/** Name, element type and shape of an input or output; symbolic sizes are texts. */
export interface ValueInfoProto {
  readonly name: string
  readonly elemType: NumberOf<typeof DataType>
  readonly shape: readonly (number | string)[]
}

interface GraphProto {
  readonly name: string
  readonly node: readonly NodeProto[]
  readonly initializer: readonly TensorProto[]
  readonly input: readonly ValueInfoProto[]
  readonly output: readonly ValueInfoProto[]
}

export interface ModelProto {
  readonly irVersion: number
  readonly producerName: string
  /** Of the standard operators. */
  readonly opset: number
  readonly graph: GraphProto
  readonly metadata: Readonly<Record<string, string>>
}

/** The model as ONNX files hold it. */
export function encodeModel({ irVersion, producerName, opset, graph, metadata }: ModelProto): Uint8Array {
  const writer = new MessageWriter()
  writer.integer(1, irVersion)
  writer.text(2, producerName)
  writer.message(7, (inner) => writeGraph(inner, graph))
  writer.message(8, (inner) => inner.integer(2, opset))
  for (const domain of new Set(graph.node.flatMap((node) => node.domain ?? []))) {
    writer.message(8, (inner) => {
      inner.text(1, domain)
      inner.integer(2, vendorOpset)
    })
  }
  writeEntries(writer, 14, metadata)
  return writer.finish()
}

function writeGraph(writer: MessageWriter, { name, node, initializer, input, output }: GraphProto): void {
  for (const one of node) writer.message(1, (inner) => writeNode(inner, one))
  writer.text(2, name)
  for (const tensor of initializer) writer.message(5, (inner) => writeTensor(inner, tensor))
  for (const value of input) writer.message(11, (inner) => writeValueInfo(inner, value))
  for (const value of output) writer.message(12, (inner) => writeValueInfo(inner, value))
}

function writeNode(
  writer: MessageWriter,
  { name, opType, domain, input, output, attribute }: NodeProto,
): void {
  for (const value of input) writer.textElement(1, value)
  for (const value of output) writer.textElement(2, value)
  writer.text(3, name)
  writer.text(4, opType)
  for (const one of attribute) writer.message(5, (inner) => writeAttribute(inner, one))
  if (domain !== undefined) writer.text(7, domain)
}

function writeAttribute(writer: MessageWriter, attribute: AttributeProto): void {
  const { name, type, f = 0, i = 0, s = '', ints = [] } = attribute
  writer.text(1, name)
  writer.float(2, f)
  writer.integer(3, i)
  writer.text(4, s)
  writer.integers(8, ints)
  writer.integer(20, type)
}

function writeTensor(writer: MessageWriter, tensor: TensorProto): void {
  const { name, dims, dataType, floatData = [], int64Data = [], rawData, externalData } = tensor
  writer.integers(1, dims)
  writer.integer(2, dataType)
  writer.floats(4, floatData)
  writer.integers(7, int64Data)
  writer.text(8, name)
  if (rawData) writer.bytes(9, rawData)
  if (!externalData) return
  writeEntries(writer, 13, externalData)
  writer.integer(14, externalLocation)
}

function writeValueInfo(writer: MessageWriter, { name, elemType, shape }: ValueInfoProto): void {
  writer.text(1, name)
  const writeDim = (dim: MessageWriter, size: number | string) => {
    if (typeof size === 'number') dim.chosenInteger(1, size)
    else dim.textElement(2, size)
  }
  const writeShape = (inner: MessageWriter) => {
    for (const size of shape) inner.message(1, (dim) => writeDim(dim, size))
  }
  const writeTensorType = (inner: MessageWriter) => {
    inner.integer(1, elemType)
    inner.message(2, writeShape)
  }
  writer.message(2, (type) => type.message(1, writeTensorType))
}

/** `StringStringEntryProto`s. */
function writeEntries(writer: MessageWriter, field: number, entries: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(entries)) {
    writer.message(field, (entry) => {
      entry.text(1, key)
      entry.text(2, value)
    })
  }
}
