import { BlvitError } from '../../base/blvit-error.js'
import type { ByteSource, Segment } from '../stored-tensor.js'

/** As long as a central directory may be: a hostile length must not make us allocate the machine's memory. */
const maximumDirectoryBytes = 100_000_000
/** The end record and the longest comment behind it. */
const longestEndBytes = 22 + 65_535

const signatures = {
  end: 0x06054b50,
  end64Locator: 0x07064b50,
  end64: 0x06064b50,
  entry: 0x02014b50,
  local: 0x04034b50,
} as const

function broken(source: ByteSource, why: string): BlvitError {
  return new BlvitError('BAD_WEIGHTS', `${source.name} is not a zip file, or it is cut: ${why}.`, {
    source: source.name,
    sizeBytes: source.sizeBytes,
  })
}

async function viewOf(source: ByteSource, offset: number, sizeBytes: number): Promise<DataView> {
  if (offset < 0 || offset + sizeBytes > source.sizeBytes) {
    throw broken(source, `it ends before byte ${offset + sizeBytes}`)
  }
  const bytes = await source.read(offset, sizeBytes)
  return new DataView(bytes.buffer, bytes.byteOffset, sizeBytes)
}

/** Where the list of entries is. */
async function directoryOf(
  source: ByteSource,
): Promise<{ offset: number; sizeBytes: number; count: number }> {
  const length = Math.min(source.sizeBytes, longestEndBytes)
  const start = source.sizeBytes - length
  const tail = await viewOf(source, start, length)
  for (let at = length - 22; at >= 0; at--) {
    if (tail.getUint32(at, true) !== signatures.end) continue
    const [count, sizeBytes, offset] = [
      tail.getUint16(at + 10, true),
      tail.getUint32(at + 12, true),
      tail.getUint32(at + 16, true),
    ]
    const isLarge = count === 0xffff || sizeBytes === 0xffff_ffff || offset === 0xffff_ffff
    if (!isLarge) return { offset, sizeBytes, count }
    const locator = await viewOf(source, start + at - 20, 20)
    if (locator.getUint32(0, true) !== signatures.end64Locator)
      throw broken(source, 'its end has no 64-bit record')
    const end64 = await viewOf(source, Number(locator.getBigUint64(8, true)), 56)
    if (end64.getUint32(0, true) !== signatures.end64)
      throw broken(source, 'its 64-bit end record is missing')
    return {
      count: Number(end64.getBigUint64(32, true)),
      sizeBytes: Number(end64.getBigUint64(40, true)),
      offset: Number(end64.getBigUint64(48, true)),
    }
  }
  throw broken(source, 'it has no list of entries at its end')
}

/** An entry as the list has it. */
interface Listed {
  readonly name: string
  readonly sizeBytes: number
  readonly localOffset: number
}

/** Sizes and places beyond 32 bits, in the order in which an entry needs them. */
function largeValues(extra: DataView): readonly number[] {
  for (let at = 0; at + 4 <= extra.byteLength; ) {
    const [id, size] = [extra.getUint16(at, true), extra.getUint16(at + 2, true)]
    if (id === 1) {
      const count = Math.floor(Math.min(size, extra.byteLength - at - 4) / 8)
      return Array.from({ length: count }, (_, i) => Number(extra.getBigUint64(at + 4 + 8 * i, true)))
    }
    at += 4 + size
  }
  return []
}

function listed(directory: DataView, at: number, source: ByteSource): { entry: Listed; next: number } {
  if (at + 46 > directory.byteLength || directory.getUint32(at, true) !== signatures.entry) {
    throw broken(source, 'its list of entries is damaged')
  }
  const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) =>
    directory.getUint16(at + field, true),
  ) as [number, number, number]
  const next = at + 46 + nameBytes + extraBytes + commentBytes
  if (next > directory.byteLength) throw broken(source, 'its list of entries is damaged')
  const bytes = (from: number, length: number) =>
    new Uint8Array(directory.buffer, directory.byteOffset + from, length)
  const name = new TextDecoder().decode(bytes(at + 46, nameBytes))
  const method = directory.getUint16(at + 10, true)
  if (method !== 0) {
    throw new BlvitError(
      'BAD_WEIGHTS',
      `${name} in ${source.name} is compressed, which PyTorch never does. Save it again with torch.save.`,
    )
  }
  const extra = bytes(at + 46 + nameBytes, extraBytes)
  const large = [...largeValues(new DataView(extra.buffer, extra.byteOffset, extra.byteLength))]
  // stored: both sizes are one and the same; each that doesn't fit has its place in the extra field
  const wide = (value: number) => (value === 0xffff_ffff ? (large.shift() ?? value) : value)
  const sizeBytes = wide(directory.getUint32(at + 24, true))
  wide(directory.getUint32(at + 20, true))
  return { entry: { name, sizeBytes, localOffset: wide(directory.getUint32(at + 42, true)) }, next }
}

/**
 * The entries of a zip file that stores them as they are, by their names; nothing of them is read.
 * @throws BlvitError `BAD_WEIGHTS` for a file that is cut, damaged or compressed
 */
export async function zipEntries(source: ByteSource): Promise<ReadonlyMap<string, () => Promise<Segment>>> {
  const { offset, sizeBytes, count } = await directoryOf(source)
  if (sizeBytes > maximumDirectoryBytes)
    throw broken(source, `its list of entries would have ${sizeBytes} bytes`)
  const directory = await viewOf(source, offset, sizeBytes)
  const entries = new Map<string, () => Promise<Segment>>()
  let at = 0
  for (let i = 0; i < count; i++) {
    const { entry, next } = listed(directory, at, source)
    at = next
    entries.set(entry.name, () => segmentOf(entry, source))
  }
  return entries
}

/** The bytes of an entry: behind its own header, whose length the list doesn't tell. */
async function segmentOf({ name, sizeBytes, localOffset }: Listed, source: ByteSource): Promise<Segment> {
  const header = await viewOf(source, localOffset, 30)
  if (header.getUint32(0, true) !== signatures.local)
    throw broken(source, `${name} isn't where its list says`)
  const offset = localOffset + 30 + header.getUint16(26, true) + header.getUint16(28, true)
  if (offset + sizeBytes > source.sizeBytes) throw broken(source, `${name} ends behind it`)
  return { source, offset, sizeBytes }
}
