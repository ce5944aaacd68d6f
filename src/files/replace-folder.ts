import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, realpath, rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve, sep } from 'node:path'
import { BlvitError, fileReason } from '../base/blvit-error.js'
import { makeFolder } from './output-files.js'

/**
 * Overwriting is for a model's folder that is written anew. A folder of something else, or one that the caller stands
 * in, is hardly what was meant.
 */
function mayBeReplaced(folder: string, entries: readonly string[]): boolean {
  const holdsUs = `${process.cwd()}${sep}`.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`)
  return entries.includes('config.json') && !holdsUs
}

/** @throws BlvitError `WRITE_FAILED` if something is there that must not be replaced */
export async function checkTarget(path: string, overwrite: boolean): Promise<void> {
  if (path.trim() === '')
    throw new BlvitError('BAD_OPTION', 'The output has an empty name. Give the name of a folder.')
  const folder = resolve(path)
  if (!existsSync(folder)) return
  const entries = await readdir(folder).catch(() => undefined)
  if (entries?.length === 0 || (entries && overwrite && mayBeReplaced(folder, entries))) return
  if (entries && overwrite) {
    throw new BlvitError(
      'WRITE_FAILED',
      `${folder} is no model's folder (it has no config.json), or you are in it: it is not replaced. Choose another folder.`,
      { path: folder },
    )
  }
  throw new BlvitError(
    'WRITE_FAILED',
    entries
      ? `${folder} is there already and holds ${entries.length} files. Choose another folder, or have it replaced (overwrite: true, --overwrite).`
      : `${folder} is a file, not a folder. Choose another name.`,
  )
}

/** @throws BlvitError `BAD_OPTION` if replacing the folder would destroy what is read for it */
async function assertHoldsNone(folder: string, reads: readonly string[]): Promise<void> {
  const real = await realpath(folder).catch(() => folder)
  for (const path of reads) {
    const read = await realpath(path).catch(() => resolve(path))
    if (!read.startsWith(`${real}${sep}`)) continue
    throw new BlvitError(
      'BAD_OPTION',
      `${folder} holds ${basename(read)}, which this command reads: replacing it would destroy an input. Give another folder.`,
      { path: folder },
    )
  }
}

/**
 * Writes a folder that appears whole or not at all; what it replaces stays until then.
 * @param write fills the empty folder that it is given
 * @param options `overwrite`: replace a folder that is there. Default false. `reads`: files that are read for it, which no
 *   folder that is replaced may hold
 * @throws BlvitError `WRITE_FAILED`, `BAD_OPTION`; a BlvitError of `write` passes unchanged
 */
export async function replaceFolder(
  folder: string,
  write: (temporary: string) => Promise<void>,
  { overwrite = false, reads = [] }: { overwrite?: boolean | undefined; reads?: readonly string[] } = {},
): Promise<void> {
  const target = resolve(folder)
  await checkTarget(folder, overwrite)
  await assertHoldsNone(target, reads)
  const beside = join(dirname(target), `.${basename(target)}.${randomBytes(4).toString('hex')}`)
  const incomplete = `${beside}.incomplete`
  try {
    await makeFolder(dirname(target))
    await mkdir(incomplete)
    await write(incomplete)
    await swap(incomplete, target, `${beside}.replaced`)
  } catch (thrown) {
    await rm(incomplete, { recursive: true, force: true }).catch(() => {})
    if (thrown instanceof BlvitError) throw aboutTarget(thrown, { incomplete, target })
    throw new BlvitError(
      'WRITE_FAILED',
      `Can't write ${target}: ${fileReason(thrown)}. Choose another place.`,
      { path: target },
      { cause: thrown },
    )
  }
}

/** The error with the folder's name where it has the temporary one, which its user doesn't know. */
function aboutTarget(
  error: BlvitError,
  { incomplete, target }: { incomplete: string; target: string },
): BlvitError {
  if (!error.message.includes(incomplete)) return error
  const named = (value: unknown) => (typeof value === 'string' ? value.replaceAll(incomplete, target) : value)
  const fields = Object.entries(error.fields).map(([name, value]) => [name, named(value)])
  const message = error.message.replaceAll(incomplete, target)
  return new BlvitError(error.code, message, Object.fromEntries(fields), { cause: error })
}

/** Puts a folder in the place of another, which is deleted, or comes back if that fails. */
async function swap(folder: string, target: string, aside: string): Promise<void> {
  const replaces = existsSync(target)
  if (replaces) await rename(target, aside)
  try {
    await rename(folder, target)
  } catch (thrown) {
    if (replaces) await rename(aside, target)
    throw thrown
  }
  await rm(aside, { recursive: true, force: true })
}
