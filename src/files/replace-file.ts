import { randomBytes } from 'node:crypto'
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { BlvitError, fileReason } from '../base/blvit-error.js'

const temporaryName = /^\..+\.[0-9a-f]{12}\.tmp$/

/** Removes what writes that were killed have left in a folder. No write may be under way there. */
export async function removeTemporaryFiles(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => []))
    if (temporaryName.test(name)) await rm(join(folder, name), { force: true })
}

/**
 * Writes a file so that its name never shows half of it: under a temporary name in the same folder, flushed
 * to the disk, then renamed. When anything fails the temporary file goes and an older file stays as it was.
 * @throws BlvitError `WRITE_FAILED` with path and reason; a BlvitError of the chunks passes unchanged
 */
export async function replaceFile(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const target = resolve(path)
  const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.tmp`)
  try {
    const handle = await open(temporary, 'wx')
    try {
      for await (const chunk of chunks) await writeWhole(handle, chunk)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, target)
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined) // the first failure is the one to report
    if (cause instanceof BlvitError) throw cause
    throw new BlvitError(
      'WRITE_FAILED',
      `Can't write ${target}: ${fileReason(cause)}. Choose another place.`,
      { path: target },
      { cause },
    )
  }
}

async function writeWhole(handle: FileHandle, chunk: Uint8Array): Promise<void> {
  let done = 0
  while (done < chunk.byteLength) {
    const { bytesWritten } = await handle.write(chunk, done, chunk.byteLength - done)
    done += bytesWritten
  }
}
