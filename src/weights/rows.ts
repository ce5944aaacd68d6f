import { defined } from '../base/assert.js'
import { BlvitError } from '../base/blvit-error.js'
import type { Segment, StoredTensor } from './stored-tensor.js'

/**
 * Tensors stacked along their first axis, without reading them.
 * @param parts at least one, all [rows, ...rest] with the same rest and dtype
 * @param name of the result, for messages
 * @throws BlvitError `BAD_WEIGHTS` if the parts don't go together
 */
export function concatRows(parts: readonly StoredTensor[], { name }: { name: string }): StoredTensor {
  const first = defined(parts[0], 'a part to concatenate')
  const stackable = parts.every(
    (part) =>
      part.dtype === first.dtype &&
      part.shape.length > 0 &&
      part.shape.slice(1).join() === first.shape.slice(1).join(),
  )
  if (!stackable) {
    const shown = parts.map((part) => `${part.dtype} [${part.shape.join(', ')}]`).join(', ')
    throw new BlvitError(
      'BAD_WEIGHTS',
      `Can't join the parts of ${name}: ${shown} differ in more than rows.`,
      { name },
    )
  }
  const rows = parts.reduce((sum, part) => sum + (part.shape[0] ?? 0), 0)
  const segments = joinAdjacent(parts.flatMap((part) => part.segments))
  return { dtype: first.dtype, shape: [rows, ...first.shape.slice(1)], segments }
}

/** One segment can be mapped by an engine, several must be copied together. */
export function joinAdjacent(segments: readonly Segment[]): readonly Segment[] {
  const joined: Segment[] = []
  for (const segment of segments) {
    const last = joined.at(-1)
    if (
      last !== undefined &&
      last.source === segment.source &&
      last.offset + last.sizeBytes === segment.offset
    ) {
      joined[joined.length - 1] = { ...last, sizeBytes: last.sizeBytes + segment.sizeBytes }
    } else {
      joined.push(segment)
    }
  }
  return joined
}
