import { assert } from '../../src/base/assert.js'
import type { Segment, StoredTensor } from '../../src/weights/stored-tensor.js'
import { storedBytes } from '../../src/weights/tensor-chunks.js'

/** Rows `start … start + count − 1` of a tensor [rows, ...rest], without reading it. */
export function sliceRows(
  tensor: StoredTensor,
  { start, count }: { start: number; count: number },
): StoredTensor {
  const [rows = 0, ...rest] = tensor.shape
  assert(start >= 0 && count >= 0 && start + count <= rows, `rows ${start}+${count} of ${rows}`)
  const rowBytes = storedBytes({ dtype: tensor.dtype, shape: rest })
  const segments = sliceSegments(tensor.segments, { from: start * rowBytes, to: (start + count) * rowBytes })
  return { dtype: tensor.dtype, shape: [count, ...rest], segments }
}

function sliceSegments(
  segments: readonly Segment[],
  { from, to }: { from: number; to: number },
): readonly Segment[] {
  const kept: Segment[] = []
  let at = 0
  for (const { source, offset, sizeBytes } of segments) {
    const begin = Math.max(from, at)
    const end = Math.min(to, at + sizeBytes)
    if (begin < end) kept.push({ source, offset: offset + begin - at, sizeBytes: end - begin })
    at += sizeBytes
  }
  return kept
}
