import { BlvitError } from '../../base/blvit-error.js'
import { convertChunk } from '../convert-chunk.js'
import { elementBytes, type StoredDtype, type StoredTensor } from '../stored-tensor.js'
import { storedBytes, tensorChunks } from '../tensor-chunks.js'

/** How a safetensors file is laid out. */
export interface EncodeOptions {
  /** Free texts for the header, e.g. `{ format: 'pt' }`. Default: none. */
  readonly metadata?: Readonly<Record<string, string>>
  /** Convert every tensor to this. Default: each keeps its own. */
  readonly dtype?: StoredDtype
}

/** A safetensors file that has not been written yet. */
export interface EncodedSafetensors {
  readonly sizeBytes: number
  /** The file's bytes in order, a few MiB at a time; the tensors are read and converted on the way. */
  chunks(): AsyncGenerator<Uint8Array>
}

interface Planned {
  readonly name: string
  readonly tensor: StoredTensor
  readonly dtype: StoredDtype
  readonly sizeBytes: number
}

/**
 * Lays out a safetensors file. Wider types come first, so that each tensor is aligned to its elements, as in
 * the official writer; within a type the given order stays.
 * @throws BlvitError `BAD_WEIGHTS` for a repeated or reserved name; while streaming, if a tensor can't be read
 */
export function encodeSafetensors(
  tensors: Iterable<readonly [name: string, tensor: StoredTensor]>,
  { metadata, dtype }: EncodeOptions = {},
): EncodedSafetensors {
  const plan = [...tensors].map(([name, tensor]): Planned => {
    const target = dtype ?? tensor.dtype
    return { name, tensor, dtype: target, sizeBytes: storedBytes({ shape: tensor.shape, dtype: target }) }
  })
  requireUsableNames(plan)
  plan.sort((a, b) => elementBytes[b.dtype] - elementBytes[a.dtype])
  const header = encodeHeader(plan, metadata)
  const dataBytes = plan.reduce((sum, planned) => sum + planned.sizeBytes, 0)
  return { sizeBytes: header.byteLength + dataBytes, chunks: () => encodedChunks(header, plan) }
}

async function* encodedChunks(header: Uint8Array, plan: readonly Planned[]): AsyncGenerator<Uint8Array> {
  yield header
  for (const { tensor, dtype } of plan) {
    for await (const chunk of tensorChunks(tensor))
      yield convertChunk(chunk, { from: tensor.dtype, to: dtype })
  }
}

function encodeHeader(plan: readonly Planned[], metadata: EncodeOptions['metadata']): Uint8Array {
  let at = 0
  const declared = plan.map(({ name, tensor, dtype, sizeBytes }) => {
    const begin = at
    at += sizeBytes
    return [name, { dtype, shape: tensor.shape, data_offsets: [begin, at] }] as const
  })
  const described = metadata === undefined ? [] : [['__metadata__', metadata] as const]
  // Joined by hand: as keys of an object, names made of digits would be reordered and `__proto__` lost.
  const members = [...described, ...declared].map(
    ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`,
  )
  const json = new TextEncoder().encode(`{${members.join(',')}}`)

  // Padded with spaces so that the data begins 8-byte aligned, as the official writer does.
  const padded = Math.ceil(json.byteLength / 8) * 8
  const header = new Uint8Array(8 + padded).fill(0x20)
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true)
  header.set(json, 8)
  return header
}

function requireUsableNames(plan: readonly Planned[]): void {
  const seen = new Set(['__metadata__'])
  for (const { name } of plan) {
    if (seen.has(name)) {
      const why = name === '__metadata__' ? 'is reserved by the format' : 'is given twice'
      throw new BlvitError('BAD_WEIGHTS', `Can't write these tensors: the name "${name}" ${why}.`, {
        tensor: name,
      })
    }
    seen.add(name)
  }
}
