/** Element types that ONNX initialisers may be stored in; anything but F32 is cast when the session starts. */
export type StorageDtype = 'F32' | 'F16' | 'BF16'

/** Part of a parameter's bytes: in memory, or a range of a file beside the model (ONNX external data). */
export type StoredRange =
  | { readonly sizeBytes: number; readonly bytes: Uint8Array }
  | { readonly sizeBytes: number; readonly location: string; readonly offset: number }

/** Where a parameter's numbers lie: its ranges, concatenated, are the row-major tensor. */
export interface ParameterStorage {
  readonly dtype: StorageDtype
  readonly ranges: readonly StoredRange[]
}

/** Finds the storage of a parameter by its name; `'fed'`: it is an input of the ONNX graph, as training needs. */
export type StorageOf = (parameter: string) => ParameterStorage | 'fed'

/** The bytes `[start, end)` of a concatenation of ranges, without copying. */
export function cutRanges(ranges: readonly StoredRange[], start: number, end: number): StoredRange[] {
  const cut: StoredRange[] = []
  let position = 0
  for (const range of ranges) {
    const from = Math.max(start - position, 0)
    const to = Math.min(end - position, range.sizeBytes)
    if (from < to) {
      const sizeBytes = to - from
      cut.push(
        'bytes' in range
          ? { sizeBytes, bytes: range.bytes.subarray(from, to) }
          : { sizeBytes, location: range.location, offset: range.offset + from },
      )
    }
    position += range.sizeBytes
  }
  return cut
}
