import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { posix } from 'node:path'
import { Parser, type ReadEntry } from 'tar'
import { BlvitError, fileReason, throwIfAborted } from '../base/blvit-error.js'
import { isSystemName } from '../image/picture-formats.js'

/** A file inside a tar, in memory. Its name is never used as a path. */
export interface TarMember {
  readonly name: string
  /** Where in the archive it ends, 0 … 1. */
  readonly readShare: number
  readonly content: Uint8Array | BlvitError
}

/** A member that has no content of its own. */
interface TarLink {
  readonly name: string
  /** The member that it leads to. */
  readonly target: string
}

type TarOptions = { readonly signal?: AbortSignal | undefined }

// A photograph of 100 megapixels, the largest that is decoded, has some 50 MB as JPEG.
const maxMemberBytes = 200_000_000

/**
 * Streams the files of a tar, gzipped or not; never holds more than one of them and a chunk. Hard and symbolic links come
 * last, with the content of the member that they lead to: for them the archive is read again. Folders and what
 * systems leave behind (`._*` of macOS) are passed over. Devices, links that lead out of the archive and what is too
 * large come with an error as their content; an archive that is damaged or cut off ends with such a member without a name.
 * @throws BlvitError `NOT_FOUND`, `ABORTED`
 */
export async function* tarMembers(path: string, options: TarOptions = {}): AsyncGenerator<TarMember> {
  const links: TarLink[] = []
  for await (const member of entries(path, options)) {
    if ('target' in member) links.push(member)
    else yield member
    // what the links lead to may be among what is missing, and that is said
    if ('content' in member && member.name === '') return
  }
  if (links.length > 0) yield* linkedMembers(path, links, options)
}

async function* linkedMembers(
  path: string,
  links: readonly TarLink[],
  options: TarOptions,
): AsyncGenerator<TarMember> {
  const targets = new Map(links.map(({ name, target }) => [memberKey(name), target]))
  const namesOf = new Map<string, string[]>()
  for (const { name } of links) {
    const end = endOf(name, targets)
    namesOf.set(end, [...(namesOf.get(end) ?? []), name])
  }
  for await (const member of entries(path, options)) {
    if ('target' in member) continue
    const names = namesOf.get(memberKey(member.name)) ?? []
    for (const name of names) yield { ...member, name, readShare: 1 }
    namesOf.delete(memberKey(member.name))
  }
  for (const [target, names] of namesOf) {
    for (const name of names) yield { name, readShare: 1, content: leadsNowhere(name, target) }
  }
}

/** `./a.jpg` is `a.jpg`. */
function memberKey(name: string): string {
  return posix.normalize(name)
}

/** Where a chain of links ends, which may be in a circle. */
function endOf(name: string, targets: ReadonlyMap<string, string>): string {
  const passed = new Set<string>()
  let key = memberKey(name)
  for (let next = targets.get(key); next !== undefined && !passed.has(key); next = targets.get(key)) {
    passed.add(key)
    key = memberKey(next)
  }
  return key
}

async function* entries(path: string, { signal }: TarOptions): AsyncGenerator<TarMember | TarLink> {
  const totalBytes = (await stat(path).catch((cause) => Promise.reject(unreadable(path, cause)))).size
  let readBytes = 0
  let complete: (TarMember | TarLink)[] = []
  let damage: string | undefined
  const readShare = () => (totalBytes === 0 ? 1 : readBytes / totalBytes)
  const collect = (entry: ReadEntry) =>
    collectEntry(entry, (found) =>
      complete.push('target' in found ? found : { ...found, readShare: readShare() }),
    )
  const parser = new Parser({
    // The parser runs inside write(), so what was complete in a chunk is there when write() returns.
    onReadEntry: collect,
    onwarn: (_, message) => {
      damage ??= String(message)
    },
  })
  parser.on('ignoredEntry', collect)
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

const isFile = ({ type }: ReadEntry) => type === 'File' || type === 'OldFile' || type === 'ContiguousFile'
const isFolder = ({ type }: ReadEntry) => type === 'Directory' || type === 'GNUDumpDir'

/** Is it, or does it lie in, what a system left behind? */
function isSystemMember(path: string): boolean {
  return path.split('/').some((name) => name !== '.' && name !== '..' && isSystemName(name))
}

type Found = Omit<TarMember, 'readShare'> | TarLink

function collectEntry(entry: ReadEntry, done: (found: Found) => void): void {
  const { path: name, size } = entry
  if (!isFile(entry) || isSystemMember(name) || size > maxMemberBytes) {
    const found = withoutContent(entry)
    if (found) done(found)
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
    if (sizeBytes === size) done({ name, content: Buffer.concat(chunks) })
  })
}

/** @returns undefined for what is passed over */
function withoutContent(entry: ReadEntry): Found | undefined {
  const { path: name, linkpath = '', type } = entry
  if (isSystemMember(name) || isFolder(entry)) return undefined
  if (isFile(entry)) return { name, content: tooLarge(entry) }
  // a hard link names a member; a symbolic one where it lies, seen from its own folder
  if (type === 'Link') return { name, target: linkpath }
  if (type !== 'SymbolicLink') return { name, content: noFile(entry) }
  const isOutside = linkpath.startsWith('/')
  return { name, target: isOutside ? linkpath : posix.join(posix.dirname(name), linkpath) }
}

function noFile({ path, type }: ReadEntry): BlvitError {
  return new BlvitError('BAD_DATA', `${path} is no file but a ${type}, which holds no picture.`)
}

function tooLarge({ path, size }: ReadEntry): BlvitError {
  return new BlvitError(
    'BAD_DATA',
    `${path} has ${size} bytes, more than the limit of ${maxMemberBytes} for one member.`,
  )
}

function leadsNowhere(name: string, target: string): BlvitError {
  const where =
    memberKey(name) === target ? 'to itself' : `to ${target}, which the archive doesn't hold as a file`
  return new BlvitError('BAD_DATA', `${name} is a link ${where}.`, { name, target })
}

function damaged(path: string, reason: string): BlvitError {
  return new BlvitError(
    'BAD_DATA',
    `${path} is damaged or was cut off (${reason.replace(/\.$/, '')}): what comes after the last whole member is missing.`,
    { path },
  )
}

function unreadable(path: string, cause: unknown): BlvitError {
  return new BlvitError('NOT_FOUND', `${path} can't be read: ${fileReason(cause)}.`, { path }, { cause })
}
