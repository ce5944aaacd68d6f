import { floatsOfChunk } from './convert-chunk.js'
import type { StoredTensor } from './stored-tensor.js'
import { elementCount, storedBytes, tensorChunks } from './tensor-chunks.js'

/**
 * A tensor's values as float32, row-major, in fresh memory; F16 and BF16 widen exactly.
 * @throws BlvitError `BAD_WEIGHTS` if its source can't be read whole
 */
export async function readFloats(tensor: StoredTensor): Promise<Float32Array> {
  const floats = new Float32Array(elementCount(tensor.shape))
  let done = 0
  for await (const chunk of tensorChunks(tensor)) {
    const values = floatsOfChunk(chunk, tensor.dtype)
    floats.set(values, done)
    done += values.length
  }
  return floats
}

/**
 * A tensor's bytes as stored, in fresh memory.
 * @throws BlvitError `BAD_WEIGHTS` if its source can't be read whole
 */
export async function readBytes(tensor: StoredTensor): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(storedBytes(tensor))
  let done = 0
  for await (const chunk of tensorChunks(tensor)) {
    bytes.set(chunk, done)
    done += chunk.byteLength
  }
  return bytes
}
