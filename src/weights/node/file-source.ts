import { type Stats, statSync } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { BlvitError, fileReason } from '../../base/blvit-error.js'
import { requireRange, shortRead } from '../byte-source.js'
import type { ByteSource } from '../stored-tensor.js'

/**
 * A local file, read range by range. Every read opens and closes the file, so the source owns no handle
 * that could leak; opening costs some 20 µs, nothing beside reading a tensor.
 * @throws BlvitError `NOT_FOUND` if there is no such file, `BAD_WEIGHTS` if it is a folder or unreadable
 */
export async function openFileSource(path: string): Promise<ByteSource> {
  const absolute = resolve(path)
  const stats = await stat(absolute).catch((cause: unknown) => {
    throw unreadable(absolute, cause)
  })
  if (!stats.isFile()) throw new BlvitError('BAD_WEIGHTS', `${absolute} is not a file.`, { path: absolute })

  const assertSame = (now: Stats) => {
    if (now.size === stats.size && now.mtimeMs === stats.mtimeMs) return
    throw new BlvitError(
      'BAD_WEIGHTS',
      `${absolute} was changed or replaced after it was opened. Open it again.`,
      { path: absolute },
    )
  }
  const source: ByteSource = {
    name: absolute,
    path: absolute,
    sizeBytes: stats.size,
    assertUnchanged: () => assertSame(statNow(absolute)),
    read: async (offset, sizeBytes) => {
      requireRange(source, { offset, sizeBytes })
      const handle = await open(absolute, 'r').catch((cause: unknown) => {
        throw gone(absolute, cause)
      })
      try {
        assertSame(await handle.stat())
        return await readWhole(handle, source, { offset, sizeBytes })
      } finally {
        await handle.close()
      }
    },
  }
  return source
}

function statNow(path: string): Stats {
  try {
    return statSync(path)
  } catch (cause) {
    throw gone(path, cause)
  }
}

async function readWhole(
  handle: FileHandle,
  source: ByteSource,
  { offset, sizeBytes }: { offset: number; sizeBytes: number },
): Promise<Uint8Array> {
  const bytes = new Uint8Array(sizeBytes)
  let done = 0
  // One read call returns at most 2 GiB on Linux, and may always return less.
  while (done < sizeBytes) {
    const { bytesRead } = await handle.read(bytes, done, sizeBytes - done, offset + done)
    if (bytesRead === 0) throw shortRead(source, { offset, sizeBytes, got: done })
    done += bytesRead
  }
  return bytes
}

/** It was there when it was opened. */
function gone(path: string, cause: unknown): BlvitError {
  if (!isMissing(cause)) return unreadable(path, cause)
  const message = `${path} was moved or deleted after it was opened. Put it back, or open it where it is now.`
  return new BlvitError('NOT_FOUND', message, { path }, { cause })
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
}

function unreadable(path: string, cause: unknown): BlvitError {
  return isMissing(cause)
    ? new BlvitError('NOT_FOUND', `There is no file ${path}.`, { path }, { cause })
    : new BlvitError('BAD_WEIGHTS', `Can't read ${path}: ${fileReason(cause)}.`, { path }, { cause })
}
