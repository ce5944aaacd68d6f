import type { Segment } from '../stored-tensor.js'
import { elementCount } from '../tensor-chunks.js'

/** Integer element types of safetensors. Models of this project compute with none of them. */
export type IntegerDtype = 'BOOL' | 'U8' | 'I8' | 'U16' | 'I16' | 'U32' | 'I32' | 'U64' | 'I64'

/**
 * A tensor of integers or truth values in a weights file: position ids, batch counters, masks.
 * Kept apart from the parameters, so that a file that carries some still loads.
 */
export interface StoredIntegers {
  readonly dtype: IntegerDtype
  readonly shape: readonly number[]
  readonly segments: readonly Segment[]
}

interface IntegerFormat {
  readonly bytes: number
  readonly get: (view: DataView, offset: number) => number
}

/** How each integer type is stored (little-endian) and read as a number. */
export const integerFormats: Readonly<Record<IntegerDtype, IntegerFormat>> = {
  BOOL: { bytes: 1, get: (view, offset) => (view.getUint8(offset) === 0 ? 0 : 1) },
  U8: { bytes: 1, get: (view, offset) => view.getUint8(offset) },
  I8: { bytes: 1, get: (view, offset) => view.getInt8(offset) },
  U16: { bytes: 2, get: (view, offset) => view.getUint16(offset, true) },
  I16: { bytes: 2, get: (view, offset) => view.getInt16(offset, true) },
  U32: { bytes: 4, get: (view, offset) => view.getUint32(offset, true) },
  I32: { bytes: 4, get: (view, offset) => view.getInt32(offset, true) },
  // Exact below 2^53, far above any index or counter that a model file holds.
  U64: { bytes: 8, get: (view, offset) => Number(view.getBigUint64(offset, true)) },
  I64: { bytes: 8, get: (view, offset) => Number(view.getBigInt64(offset, true)) },
}

/**
 * The values of an integer tensor, row-major; truth values as 0 and 1.
 * @throws BlvitError `BAD_WEIGHTS` if its source can't be read whole
 */
export async function readIntegers(tensor: StoredIntegers): Promise<number[]> {
  const { bytes: size, get } = integerFormats[tensor.dtype]
  const values: number[] = []
  for (const { source, offset, sizeBytes } of tensor.segments) {
    const bytes = await source.read(offset, sizeBytes)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let at = 0; at < sizeBytes; at += size) values.push(get(view, at))
  }
  return values.slice(0, elementCount(tensor.shape))
}
