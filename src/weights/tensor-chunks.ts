import { BlvitError } from '../base/blvit-error.js'
import { elementBytes, type Segment, type StoredTensor } from './stored-tensor.js'

/** 4 MiB: large enough that a read call costs nothing beside it, small enough for any number of tensors. */
const chunkBytes = 4 * 1024 * 1024

/** Number of elements of a tensor of this shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}

/** Bytes that a tensor takes as stored. */
export function storedBytes(tensor: Pick<StoredTensor, 'shape' | 'dtype'>): number {
  return elementCount(tensor.shape) * elementBytes[tensor.dtype]
}

/**
 * A tensor's bytes in order, in pieces of at most 4 MiB that hold whole elements.
 * @throws BlvitError `BAD_WEIGHTS` if its segments don't add up to its shape, or can't be read
 */
export async function* tensorChunks(tensor: StoredTensor): AsyncGenerator<Uint8Array> {
  requireWholeSegments(tensor)
  for (const segment of tensor.segments) yield* segmentChunks(segment)
}

/** A segment's bytes in order, in pieces of at most 4 MiB. @throws BlvitError `BAD_WEIGHTS` if they can't be read */
export async function* segmentChunks({ source, offset, sizeBytes }: Segment): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < sizeBytes; done += chunkBytes) {
    yield await source.read(offset + done, Math.min(chunkBytes, sizeBytes - done))
  }
}

/** @throws BlvitError `BAD_WEIGHTS` if a tensor's segments don't add up to its shape */
export function requireWholeSegments(tensor: StoredTensor): void {
  const size = elementBytes[tensor.dtype]
  const held = tensor.segments.reduce((sum, segment) => sum + segment.sizeBytes, 0)
  const needed = storedBytes(tensor)
  if (held === needed && tensor.segments.every((segment) => segment.sizeBytes % size === 0)) return
  const where = tensor.segments[0]?.source.name ?? 'no source'
  throw new BlvitError(
    'BAD_WEIGHTS',
    `A ${tensor.dtype} tensor of shape [${tensor.shape.join(', ')}] takes ${needed} bytes, but its segments (${where}) hold ${held}.`,
    { shape: tensor.shape, dtype: tensor.dtype, neededBytes: needed, heldBytes: held },
  )
}
