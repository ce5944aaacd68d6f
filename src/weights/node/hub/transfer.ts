import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { BlvitError, fileReason } from '../../../base/blvit-error.js'
import { HubStatusError, isPassing } from './errors.js'
import type { HubFile } from './files.js'

export interface TransferOptions {
  readonly url: string
  readonly token: string | undefined
  /** Final place of the file; until it is whole and checked it is called `<blob>.incomplete`. */
  readonly blob: string
  readonly signal: AbortSignal | undefined
  /** Called with the bytes that this file has so far. */
  readonly onBytes: (bytes: number) => void
}

/** Pauses before each new try; progress in between starts the list over. */
const pausesMs = [500, 1_000, 2_000, 4_000]

/**
 * Downloads one file, going on where an earlier try stopped, and checks its hash. The hub's client would start
 * large files over and append without checking, so this asks for the range itself.
 * @throws BlvitError `HUB` if the content is not what the hub promised, `WRITE_FAILED`; anything that fetch throws
 */
export async function transferFile(file: HubFile, options: TransferOptions): Promise<void> {
  const { blob, signal, onBytes } = options
  await ensureFolder(blob)
  let failures = 0
  for (;;) {
    const before = await sizeOf(incomplete(blob))
    try {
      await fetchRest(file, options)
      break
    } catch (thrown) {
      if ((await sizeOf(incomplete(blob))) > before) failures = 0
      const pauseMs = pausesMs[failures]
      if (!isPassing(thrown) || pauseMs === undefined) throw thrown
      failures += 1
      await sleep(pauseMs, undefined, signal === undefined ? {} : { signal })
    }
  }
  await verify(file, blob)
  await rename(incomplete(blob), blob).catch(async (cause: unknown) => {
    // Another process that downloads the same file may have been faster.
    if ((await sizeOf(blob)) !== file.sizeBytes) throw writeFailed(blob, cause)
  })
  onBytes(file.sizeBytes)
}

async function fetchRest(
  file: HubFile,
  { url, token, blob, signal, onBytes }: TransferOptions,
): Promise<void> {
  let at = await sizeOf(incomplete(blob))
  if (at > file.sizeBytes) {
    await rm(incomplete(blob), { force: true })
    at = 0
  }
  onBytes(at)
  if (at === file.sizeBytes && at > 0) return

  const headers = new Headers(at > 0 ? { Range: `bytes=${at}-` } : {})
  if (token !== undefined) headers.set('Authorization', `Bearer ${token}`)
  const response = await fetch(url, { headers, signal: signal ?? null })
  if (!response.ok) {
    await response.body?.cancel()
    throw new HubStatusError(response.status, url)
  }
  // A server that doesn't know ranges answers 200 and begins at the beginning.
  if (response.status !== 206) at = 0

  const handle = await open(incomplete(blob), at > 0 ? 'r+' : 'w').catch((cause: unknown) => {
    throw writeFailed(blob, cause)
  })
  try {
    for await (const chunk of response.body ?? []) {
      await writeAt(handle, { chunk, at, blob })
      at += chunk.byteLength
      if (at > file.sizeBytes) break // more than promised: the check below says so
      onBytes(at)
    }
  } finally {
    await handle.close()
  }
  if (at < file.sizeBytes) throw new TypeError('terminated') // cut, but closed politely: like any cut connection
}

/** At its position rather than appended: two processes on one file then write the same bytes to the same places. */
async function writeAt(
  handle: FileHandle,
  { chunk, at, blob }: { chunk: Uint8Array; at: number; blob: string },
): Promise<void> {
  let done = 0
  while (done < chunk.byteLength) {
    const { bytesWritten } = await handle
      .write(chunk, done, chunk.byteLength - done, at + done)
      .catch((cause) => {
        throw writeFailed(blob, cause)
      })
    done += bytesWritten
  }
}

const hashes: Readonly<Record<HubFile['hashKind'], (sizeBytes: number) => Hash>> = {
  sha256: () => createHash('sha256'),
  git: (sizeBytes) => createHash('sha1').update(`blob ${sizeBytes}\0`),
}

async function verify(file: HubFile, blob: string): Promise<void> {
  const hash = hashes[file.hashKind](file.sizeBytes)
  for await (const chunk of createReadStream(incomplete(blob))) hash.update(chunk as Buffer)
  if (hash.digest('hex') === file.hash) return
  await rm(incomplete(blob), { force: true })
  throw new BlvitError(
    'HUB',
    `${file.path} came damaged: its ${file.hashKind} hash is not the one that the hub names. It was deleted; download it again.`,
    { path: file.path, expectedHash: file.hash },
  )
}

function incomplete(blob: string): string {
  return `${blob}.incomplete`
}

function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    (stats) => stats.size,
    () => 0,
  )
}

async function ensureFolder(blob: string): Promise<void> {
  await mkdir(dirname(blob), { recursive: true }).catch((cause: unknown) => {
    throw writeFailed(blob, cause)
  })
}

function writeFailed(path: string, cause: unknown): BlvitError {
  return new BlvitError('WRITE_FAILED', `Can't write ${path}: ${fileReason(cause)}.`, { path }, { cause })
}
