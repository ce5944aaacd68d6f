import { BlvitError } from '../base/blvit-error.js'
import type { ByteSource } from './stored-tensor.js'

/**
 * Bytes that already lie in memory. Reads are views, not copies: don't change what they return.
 * @param name for messages. Default: `"bytes in memory"`
 */
export function bytesSource(
  bytes: Uint8Array | ArrayBuffer,
  { name = 'bytes in memory' }: { name?: string } = {},
): ByteSource {
  const all = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes)
  const source: ByteSource = {
    name,
    sizeBytes: all.byteLength,
    read: async (offset, sizeBytes) => {
      requireRange(source, { offset, sizeBytes })
      return all.subarray(offset, offset + sizeBytes)
    },
  }
  return source
}

/**
 * A Blob or browser File, read range by range.
 * @param name for messages. Default: the File's name, else `"blob"`
 */
export function blobSource(blob: Blob, { name = nameOfBlob(blob) }: { name?: string } = {}): ByteSource {
  const source: ByteSource = {
    name,
    sizeBytes: blob.size,
    read: async (offset, sizeBytes) => {
      requireRange(source, { offset, sizeBytes })
      const bytes = new Uint8Array(await blob.slice(offset, offset + sizeBytes).arrayBuffer())
      if (bytes.byteLength !== sizeBytes)
        throw shortRead(source, { offset, sizeBytes, got: bytes.byteLength })
      return bytes
    },
  }
  return source
}

/** @throws BlvitError `BAD_WEIGHTS` unless the range lies inside the source */
export function requireRange(
  source: ByteSource,
  { offset, sizeBytes }: { offset: number; sizeBytes: number },
): void {
  const sound =
    Number.isSafeInteger(offset) && Number.isSafeInteger(sizeBytes) && offset >= 0 && sizeBytes >= 0
  if (sound && offset + sizeBytes <= source.sizeBytes) return
  throw new BlvitError(
    'BAD_WEIGHTS',
    `Can't read bytes ${offset}…${offset + sizeBytes} of ${source.name}: it has ${source.sizeBytes} bytes.`,
    { source: source.name, offset, sizeBytes, sourceBytes: source.sizeBytes },
  )
}

/** The error for a source that gave fewer bytes than it promised. */
export function shortRead(
  source: ByteSource,
  { offset, sizeBytes, got }: { offset: number; sizeBytes: number; got: number },
): BlvitError {
  return new BlvitError(
    'BAD_WEIGHTS',
    `${source.name} gave ${got} of ${sizeBytes} bytes at offset ${offset}: it was cut or replaced while being read. Open it again.`,
    { source: source.name, offset, sizeBytes, got },
  )
}

function nameOfBlob(blob: Blob): string {
  return 'name' in blob && typeof blob.name === 'string' ? blob.name : 'blob'
}
