import { BlvitError } from '../../base/blvit-error.js'
import { type ByteSource, elementBytes, type StoredTensor, type StoredTensors } from '../stored-tensor.js'
import { type HeaderEntry, parseHeader } from './header.js'
import type { StoredIntegers } from './stored-integers.js'

/** What a safetensors file holds. */
export interface SafetensorsContent {
  /** Tensors of F32, F16 and BF16, in the order of their bytes. */
  readonly tensors: StoredTensors
  /** Integer and boolean tensors: never parameters, but real files carry some (position ids, batch counters). */
  readonly integers: ReadonlyMap<string, StoredIntegers>
  readonly metadata: Readonly<Record<string, string>>
}

/** The header's length is a little-endian 64-bit number before it. */
const lengthBytes = 8

/** As in the official reader: a hostile length must not make us allocate the machine's memory. */
export const maximumHeaderBytes = 100_000_000

/**
 * Opens a safetensors file: reads and checks its header; the tensors are read when they are needed.
 * @throws BlvitError `BAD_WEIGHTS` for a malformed or cut file, or a dtype other than F32, F16, BF16 and integers
 */
export async function readSafetensors(source: ByteSource): Promise<SafetensorsContent> {
  const headerBytes = await readHeaderLength(source)
  const text = decodeHeader(await source.read(lengthBytes, headerBytes), source)
  const dataStart = lengthBytes + headerBytes
  const dataBytes = source.sizeBytes - dataStart
  const { entries, metadata } = parseHeader(text, { source: source.name, dataBytes })

  const tensors = new Map<string, StoredTensor>()
  const integers = new Map<string, StoredIntegers>()
  for (const { name, dtype, shape, begin, end } of entries) {
    const segments = [{ source, offset: dataStart + begin, sizeBytes: end - begin }]
    if (isFloat(dtype)) tensors.set(name, { dtype, shape, segments })
    else integers.set(name, { dtype, shape, segments })
  }
  return { tensors, integers, metadata }
}

async function readHeaderLength(source: ByteSource): Promise<number> {
  if (source.sizeBytes < lengthBytes) {
    throw notSafetensors(
      source,
      `it has ${source.sizeBytes} bytes, a header length alone takes ${lengthBytes}`,
    )
  }
  const bytes = await source.read(0, lengthBytes)
  const length = new DataView(bytes.buffer, bytes.byteOffset, lengthBytes).getBigUint64(0, true)
  if (length > BigInt(maximumHeaderBytes)) {
    throw notSafetensors(
      source,
      `its header would have ${length} bytes, at most ${maximumHeaderBytes} are allowed`,
    )
  }
  if (Number(length) > source.sizeBytes - lengthBytes) {
    throw notSafetensors(
      source,
      `its header would have ${length} bytes, but the file has ${source.sizeBytes}`,
    )
  }
  return Number(length)
}

function decodeHeader(bytes: Uint8Array, source: ByteSource): string {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    throw notSafetensors(source, 'its header is not UTF-8 text')
  }
  if (!text.startsWith('{')) throw notSafetensors(source, 'its header is not a JSON object')
  return text
}

function isFloat(dtype: HeaderEntry['dtype']): dtype is StoredTensor['dtype'] {
  return dtype in elementBytes
}

function notSafetensors(source: ByteSource, why: string): BlvitError {
  return new BlvitError('BAD_WEIGHTS', `${source.name} is not a safetensors file, or it is cut: ${why}.`, {
    source: source.name,
    sizeBytes: source.sizeBytes,
  })
}
