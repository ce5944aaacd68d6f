import { create } from '@bufbuild/protobuf'
import { formatDim, type Shape } from '../dim.js'
import type { FloatType } from '../float-types.js'
import type { AttributeValue } from '../lowering.js'
import type { Dtype } from '../tensor.js'
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataLocation as DataLocation,
  TensorProto_DataType as DataType,
  type TensorProto,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './onnx_pb.js'
import type { StorageDtype, StoredRange } from './parameter-storage.js'

const text = new TextEncoder()

const graphDataTypes: Readonly<Record<Dtype, DataType>> = { float32: DataType.FLOAT, int64: DataType.INT64 }

const storageDataTypes: Readonly<Record<StorageDtype, DataType>> = {
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
    return create(AttributeProtoSchema, { name, type: AttributeType.STRING, s: text.encode(value) })
  }
  if (typeof value === 'number') {
    return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) })
  }
  if ('float' in value) {
    return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value.float })
  }
  return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.map(BigInt) })
}

/** An input's or output's name, type and shape; symbolic sizes become named dimensions. */
export function valueInfoProto(name: string, dtype: Dtype, shape: Shape): ValueInfoProto {
  const dim = shape.map((size) => ({
    value:
      typeof size === 'number'
        ? { case: 'dimValue' as const, value: BigInt(size) }
        : { case: 'dimParam' as const, value: formatDim(size) },
  }))
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: 'tensorType', value: { elemType: graphDataTypes[dtype], shape: { dim } } } },
  })
}

export function integerTensor(name: string, values: readonly number[]): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dims: [BigInt(values.length)],
    dataType: DataType.INT64,
    int64Data: values.map(BigInt),
  })
}

export function floatTensor(name: string, values: readonly number[], shape: readonly number[]): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dims: shape.map(BigInt),
    dataType: DataType.FLOAT,
    floatData: [...values],
  })
}

/** A parameter's initialiser: its bytes, or a pointer into a file beside the model. */
export function storedTensor(
  name: string,
  shape: readonly number[],
  dtype: StorageDtype,
  range: StoredRange,
): TensorProto {
  const common = { name, dims: shape.map(BigInt), dataType: storageDataTypes[dtype] }
  if ('bytes' in range) return create(TensorProtoSchema, { ...common, rawData: range.bytes })
  return create(TensorProtoSchema, {
    ...common,
    dataLocation: DataLocation.EXTERNAL,
    externalData: [
      { key: 'location', value: range.location },
      { key: 'offset', value: `${range.offset}` },
      { key: 'length', value: `${range.sizeBytes}` },
    ],
  })
}
