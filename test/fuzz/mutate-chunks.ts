import { crc32 } from 'node:zlib'
import { join, mutateBytes } from './mutate-bytes.js'
import type { Random } from './random.js'

/** A named part of a picture file; the name of a JPEG segment is its marker. */
interface Chunk {
  readonly name: string
  readonly content: Uint8Array
}

/** How a format divides its files, and puts them together with lengths and check sums that are right. */
interface ChunkedFormat {
  readonly split: (bytes: Uint8Array) => readonly Chunk[]
  readonly join: (chunks: readonly Chunk[]) => Uint8Array
}

export const chunkedFormats = {
  png: { split: splitPng, join: joinPng },
  jpeg: { split: splitJpeg, join: joinJpeg },
  webp: { split: splitWebp, join: joinWebp },
} satisfies Record<string, ChunkedFormat>

/** Changes what the chunks say, so that the damage gets past the check sums and into the decoder. */
export function mutateChunks(
  bytes: Uint8Array,
  { split, join: put }: ChunkedFormat,
  random: Random,
): Uint8Array {
  const chunks = [...split(bytes)]
  const at = random.integer(chunks.length)
  const chosen = chunks[at] as Chunk
  const changed = { ...chosen, content: mutateBytes(chosen.content, random) }
  const edit = random.pick([
    () => chunks.splice(at, 1, changed),
    () => chunks.splice(at, 1, changed),
    () => chunks.splice(at, 1),
    () => chunks.splice(at, 0, chosen),
    () => chunks.splice(random.integer(chunks.length), 0, ...chunks.splice(at, 1)),
    () => chunks.splice(at, 1, { ...chosen, name: random.pick(chunks).name }),
  ])
  edit()
  return put(chunks)
}

const pngSignature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)

function splitPng(bytes: Uint8Array): readonly Chunk[] {
  const view = viewOf(bytes)
  const chunks: Chunk[] = []
  for (let at = 8; at < bytes.length; ) {
    const length = view.getUint32(at)
    chunks.push({ name: textOf(bytes, at + 4), content: bytes.subarray(at + 8, at + 8 + length) })
    at += 12 + length
  }
  return chunks
}

function joinPng(chunks: readonly Chunk[]): Uint8Array {
  const parts = chunks.map(({ name, content }) => {
    const named = join(Buffer.from(name, 'latin1'), content)
    return join(bigEndian32(content.length), named, bigEndian32(crc32(named)))
  })
  return join(pngSignature, ...parts)
}

/** Segments up to the first scan; the rest of the file belongs to that. */
function splitJpeg(bytes: Uint8Array): readonly Chunk[] {
  const view = viewOf(bytes)
  const chunks: Chunk[] = []
  for (let at = 2; at < bytes.length; ) {
    const marker = bytes[at + 1] as number
    const isScan = marker === 0xda
    const end = isScan ? bytes.length : at + 2 + view.getUint16(at + 2)
    chunks.push({ name: String.fromCharCode(marker), content: bytes.subarray(at + 4, end) })
    at = end
  }
  return chunks
}

function joinJpeg(chunks: readonly Chunk[]): Uint8Array {
  const parts = chunks.map(({ name, content }) => {
    const marker = name.charCodeAt(0)
    // a scan's own header has 12 bytes for three channels
    const length = marker === 0xda ? 12 : content.length + 2
    return join(Uint8Array.of(0xff, marker, (length >> 8) & 0xff, length & 0xff), content)
  })
  return join(Uint8Array.of(0xff, 0xd8), ...parts)
}

function splitWebp(bytes: Uint8Array): readonly Chunk[] {
  const view = viewOf(bytes)
  const chunks: Chunk[] = []
  for (let at = 12; at + 8 <= bytes.length; ) {
    const length = view.getUint32(at + 4, true)
    chunks.push({ name: textOf(bytes, at), content: bytes.subarray(at + 8, at + 8 + length) })
    at += 8 + length + (length % 2)
  }
  return chunks
}

function joinWebp(chunks: readonly Chunk[]): Uint8Array {
  const body = join(
    ...chunks.map(({ name, content }) =>
      join(
        Buffer.from(name, 'latin1'),
        littleEndian32(content.length),
        content,
        new Uint8Array(content.length % 2),
      ),
    ),
  )
  return join(Buffer.from('RIFF'), littleEndian32(body.length + 4), Buffer.from('WEBP'), body)
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

function textOf(bytes: Uint8Array, at: number): string {
  return Buffer.from(bytes.subarray(at, at + 4)).toString('latin1')
}

function bigEndian32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value)
  return bytes
}

function littleEndian32(value: number): Uint8Array {
  return bigEndian32(value).reverse()
}
