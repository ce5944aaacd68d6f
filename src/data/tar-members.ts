import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Parser, type ReadEntry } from 'tar'
import { BlvitError, messageOf, throwIfAborted } from '../base/blvit-error.js'

/** A file inside a tar, in memory. Its name is never used as a path. */
export interface TarMember {
  readonly name: string
  /** Where in the archive it ends, 0 … 1. */
  readonly readShare: number
  readonly content: Uint8Array | BlvitError
}

// A photograph of 100 megapixels, the largest that is decoded, has some 50 MB as JPEG.
const maxMemberBytes = 200_000_000

/**
 * Streams the plain files of a tar, gzipped or not; never holds more than one of them and a chunk. Links, devices
 * and folders are passed over. An archive that is damaged or cut off ends with a member whose content is the error.
 * @throws BlvitError `NOT_FOUND`, `ABORTED`
 */
export async function* tarMembers(
  path: string,
  { signal }: { signal?: AbortSignal | undefined } = {},
): AsyncGenerator<TarMember> {
  const totalBytes = (await stat(path).catch((cause) => Promise.reject(unreadable(path, cause)))).size
  let readBytes = 0
  let complete: TarMember[] = []
  let damage: string | undefined
  const readShare = () => (totalBytes === 0 ? 1 : readBytes / totalBytes)
  const parser = new Parser({
    // The parser runs inside write(), so what was complete in a chunk is there when write() returns.
    onReadEntry: (entry) =>
      collect(entry, (content) =>
        complete.push({ name: printable(entry.path), readShare: readShare(), content }),
      ),
    onwarn: (_, message) => {
      damage ??= String(message)
    },
  })
  parser.on('error', (error: Error) => {
    damage ??= error.message
  })
  const taken = () => {
    const members = complete
    complete = []
    return members
  }
  let tail = Buffer.alloc(0)
  let isGzipped = false
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) {
      throwIfAborted(signal)
      // by its first bytes, as the parser decides: people call gzipped ones .tar too
      if (readBytes === 0) isGzipped = gzipMark.every((byte, i) => chunk[i] === byte)
      readBytes += chunk.length
      tail = Buffer.concat([tail, chunk]).subarray(-endMarkBytes)
      parser.write(chunk)
      yield* taken()
      if (damage !== undefined) break
    }
  } catch (thrown) {
    if (thrown instanceof BlvitError) throw thrown
    throw unreadable(path, thrown)
  }
  if (damage === undefined) parser.end()
  yield* taken()
  if (damage === undefined && !isGzipped && !tail.every((byte) => byte === 0)) damage = 'it has no end mark'
  if (damage !== undefined) yield { name: '', readShare: 1, content: damaged(path, damage) }
}

/** A tar ends with blocks of zeros: without them it was cut, perhaps just between two members. */
const endMarkBytes = 512

const gzipMark = [0x1f, 0x8b]

function collect(entry: ReadEntry, done: (content: Uint8Array | BlvitError) => void): void {
  const isFile = entry.type === 'File' || entry.type === 'OldFile' || entry.type === 'ContiguousFile'
  if (!isFile) {
    entry.resume()
    return
  }
  if (entry.size > maxMemberBytes) {
    entry.on('end', () => done(tooLarge(entry)))
    entry.resume()
    return
  }
  const chunks: Buffer[] = []
  let sizeBytes = 0
  entry.on('data', (chunk) => {
    chunks.push(Buffer.from(chunk))
    sizeBytes += chunk.length
  })
  // The last member of an archive that was cut off ends early: the archive's own error tells of it.
  entry.on('end', () => {
    if (sizeBytes === entry.size) done(Buffer.concat(chunks))
  })
}

/** Names come from outside and are printed: no control characters, which move a terminal's cursor. */
function printable(name: string): string {
  return name.replace(/\p{Cc}/gu, '\uFFFD')
}

function tooLarge({ path, size }: ReadEntry): BlvitError {
  return new BlvitError(
    'BAD_DATA',
    `${printable(path)} has ${size} bytes, more than the limit of ${maxMemberBytes} for one member.`,
  )
}

function damaged(path: string, reason: string): BlvitError {
  return new BlvitError(
    'BAD_DATA',
    `${path} is damaged or was cut off (${reason.replace(/\.$/, '')}): what comes after the last whole member is missing.`,
    { path },
  )
}

function unreadable(path: string, cause: unknown): BlvitError {
  return new BlvitError('NOT_FOUND', `${path} can't be read: ${messageOf(cause)}.`, { path }, { cause })
}
