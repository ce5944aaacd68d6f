import { bfloatsFromFloats, floatsFromBfloats, floatsFromHalves, halvesFromFloats } from './float-formats.js'
import type { StoredDtype } from './stored-tensor.js'

interface FloatFormat {
  readonly toFloats: (bytes: Uint8Array) => Float32Array
  readonly fromFloats: (floats: Float32Array) => Uint8Array
}

// Bytes are taken as little-endian, which every platform with a Node or browser build of ONNX Runtime is.
const formats: Readonly<Record<StoredDtype, FloatFormat>> = {
  F32: {
    toFloats: (bytes) => {
      const whole = aligned(bytes, 4)
      return new Float32Array(whole.buffer, whole.byteOffset, whole.byteLength / 4)
    },
    fromFloats: bytesOf,
  },
  F16: {
    toFloats: (bytes) => floatsFromHalves(words(bytes)),
    fromFloats: (floats) => bytesOf(halvesFromFloats(floats)),
  },
  BF16: {
    toFloats: (bytes) => floatsFromBfloats(words(bytes)),
    fromFloats: (floats) => bytesOf(bfloatsFromFloats(floats)),
  },
}

/** Stored bytes as float32; for F32 it may be a view of them. */
export function floatsOfChunk(bytes: Uint8Array, dtype: StoredDtype): Float32Array {
  return formats[dtype].toFloats(bytes)
}

/** Float32 values as bytes of another format, rounded to nearest even; for F32 a view of them. */
export function chunkOfFloats(floats: Float32Array, dtype: StoredDtype): Uint8Array {
  return formats[dtype].fromFloats(floats)
}

/** Stored bytes in another format; unchanged when it is the same. */
export function convertChunk(
  bytes: Uint8Array,
  { from, to }: { from: StoredDtype; to: StoredDtype },
): Uint8Array {
  return from === to ? bytes : chunkOfFloats(floatsOfChunk(bytes, from), to)
}

/** The bytes at an address that typed arrays of this element size accept; copied only if they must move. */
export function aligned(bytes: Uint8Array, elementSize: number): Uint8Array {
  return bytes.byteOffset % elementSize === 0 ? bytes : new Uint8Array(bytes)
}

function words(bytes: Uint8Array): Uint16Array {
  const whole = aligned(bytes, 2)
  return new Uint16Array(whole.buffer, whole.byteOffset, whole.byteLength / 2)
}

function bytesOf(values: Float32Array | Uint16Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}
