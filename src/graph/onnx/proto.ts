import { formatDim, type Shape } from '../dim.js'
import type { AttributeValue, Dtype, FloatType } from '../lowering.js'
import {
  type AttributeProto,
  AttributeType,
  DataType,
  type TensorProto,
  type ValueInfoProto,
} from './messages.js'
import type { StorageDtype, StoredRange } from './parameter-storage.js'

type DataTypeNumber = TensorProto['dataType']

const graphDataTypes: Readonly<Record<Dtype, DataTypeNumber>> = {
  float32: DataType.FLOAT,
  int64: DataType.INT64,
}

const storageDataTypes: Readonly<Record<StorageDtype, DataTypeNumber>> = {
  F32: DataType.FLOAT,
  F16: DataType.FLOAT16,
  BF16: DataType.BFLOAT16,
}

/** The numbers that the Cast operator knows element types by. */
export const elementTypes: Readonly<Record<FloatType, number>> = {
  float32: DataType.FLOAT,
  float16: DataType.FLOAT16,
}

export function attributeProto(name: string, value: AttributeValue): AttributeProto {
  if (typeof value === 'string') {
    return { name, type: AttributeType.STRING, s: value }
  }
  if (typeof value === 'number') {
    return { name, type: AttributeType.INT, i: value }
  }
  if ('float' in value) {
    return { name, type: AttributeType.FLOAT, f: value.float }
  }
  return { name, type: AttributeType.INTS, ints: value }
}

/** An input's or output's name, type and shape; symbolic sizes become named dimensions. */
export function valueInfoProto(name: string, dtype: Dtype, shape: Shape): ValueInfoProto {
  const sizes = shape.map((size) => (typeof size === 'number' ? size : formatDim(size)))
  return { name, elemType: graphDataTypes[dtype], shape: sizes }
}

export function integerTensor(name: string, values: readonly number[]): TensorProto {
  return { name, dims: [values.length], dataType: DataType.INT64, int64Data: values }
}

export function floatTensor(name: string, values: readonly number[], shape: readonly number[]): TensorProto {
  return { name, dims: shape, dataType: DataType.FLOAT, floatData: values }
}

/** A parameter's initialiser: its bytes, or a pointer into a file beside the model. */
export function storedTensor(
  name: string,
  shape: readonly number[],
  dtype: StorageDtype,
  range: StoredRange,
): TensorProto {
  const common = { name, dims: shape, dataType: storageDataTypes[dtype] }
  if ('bytes' in range) return { ...common, rawData: range.bytes }
  const { location, offset, sizeBytes } = range
  return { ...common, externalData: { location, offset: `${offset}`, length: `${sizeBytes}` } }
}
