import { BlvitError } from '../base/blvit-error.js'
import { bytesSource } from './byte-source.js'
import { chunkOfFloats } from './convert-chunk.js'
import type { StoredDtype, StoredTensor } from './stored-tensor.js'
import { elementCount, storedBytes } from './tensor-chunks.js'

/**
 * A tensor of values in memory, under the interface of a stored one.
 * @param values floats, rounded to `dtype` where that is narrower; or bytes that already are `dtype`.
 *   Float32 values of dtype F32 and bytes are kept as they are, not copied.
 * @param dtype default `F32`
 * @throws BlvitError `BAD_WEIGHTS` if the values don't fill the shape
 */
export function storedFrom(
  values: Float32Array | Uint8Array,
  shape: readonly number[],
  dtype: StoredDtype = 'F32',
): StoredTensor {
  const given = values instanceof Float32Array ? values.length : values.byteLength
  const needed = values instanceof Float32Array ? elementCount(shape) : storedBytes({ shape, dtype })
  if (given !== needed || shape.some((size) => !Number.isSafeInteger(size) || size < 0)) {
    const unit = values instanceof Float32Array ? 'values' : 'bytes'
    throw new BlvitError(
      'BAD_WEIGHTS',
      `A ${dtype} tensor of shape [${shape.join(', ')}] needs ${needed} ${unit}, but ${given} were given.`,
      { shape, dtype, needed, given },
    )
  }
  const bytes = values instanceof Float32Array ? chunkOfFloats(values, dtype) : values
  const source = bytesSource(bytes)
  return { dtype, shape: [...shape], segments: [{ source, offset: 0, sizeBytes: bytes.byteLength }] }
}
