import type { IntegerDtype, StoredIntegers } from '../../src/weights/safetensors/stored-integers.js'
import { integerSizes } from '../../src/weights/safetensors/stored-integers.js'

const readers: Readonly<Record<IntegerDtype, (view: DataView, offset: number) => number>> = {
  BOOL: (view, offset) => (view.getUint8(offset) === 0 ? 0 : 1),
  U8: (view, offset) => view.getUint8(offset),
  I8: (view, offset) => view.getInt8(offset),
  U16: (view, offset) => view.getUint16(offset, true),
  I16: (view, offset) => view.getInt16(offset, true),
  U32: (view, offset) => view.getUint32(offset, true),
  I32: (view, offset) => view.getInt32(offset, true),
  // exact below 2^53, far above any index of a golden file
  U64: (view, offset) => Number(view.getBigUint64(offset, true)),
  I64: (view, offset) => Number(view.getBigInt64(offset, true)),
}

/** The values of an integer tensor, row-major; truth values as 0 and 1. */
export async function readIntegers({ dtype, segments }: StoredIntegers): Promise<number[]> {
  const values: number[] = []
  for (const { source, offset, sizeBytes } of segments) {
    const bytes = await source.read(offset, sizeBytes)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let at = 0; at < sizeBytes; at += integerSizes[dtype]) values.push(readers[dtype](view, at))
  }
  return values
}
