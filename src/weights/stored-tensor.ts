/** Element types that a weights file may hold, under their safetensors names. */
export type StoredDtype = 'F32' | 'F16' | 'BF16'

/** Bytes of one element. */
export const elementBytes: Readonly<Record<StoredDtype, number>> = { F32: 4, F16: 2, BF16: 2 }

/** Somewhere bytes can be read from in ranges: a file on disk, a Blob, an array. */
export interface ByteSource {
  /** For messages, e.g. the file's path. */
  readonly name: string
  /** The absolute path if it is a local file, so that an engine may map it instead of reading it. */
  readonly path?: string
  readonly sizeBytes: number
  /** For an engine that will map the file: @throws BlvitError if it is no longer the one that was opened */
  assertUnchanged?(): void
  /** @throws BlvitError `BAD_WEIGHTS` if the range can't be read whole */
  read(offset: number, sizeBytes: number): Promise<Uint8Array>
}

/** A contiguous range of a source. */
export interface Segment {
  readonly source: ByteSource
  readonly offset: number
  readonly sizeBytes: number
}

/**
 * A weight tensor as it is stored, row-major little-endian, not yet read.
 * More than one segment: the tensor is their concatenation along the first axis
 * (Hugging Face keeps query, key and value apart; timm packs them as `qkv`).
 */
export interface StoredTensor {
  readonly dtype: StoredDtype
  readonly shape: readonly number[]
  readonly segments: readonly Segment[]
}

/** Tensors under their parameter names. */
export type StoredTensors = ReadonlyMap<string, StoredTensor>
