import { type Dirent, readdirSync } from 'node:fs'
import { lstat, readdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join } from 'node:path'
import { BlvitError, fileReason } from '../base/blvit-error.js'
import { didYouMean } from '../base/suggest.js'
import { inOtherUnicodeForm } from '../files/unicode-path.js'
import { explainFileError } from '../image/node/image-source.js'

function neighbours(path: string): string[] {
  try {
    return readdirSync(dirname(path))
  } catch {
    return []
  }
}

/**
 * What a user's argument names: a file or folder that is there, or the files that a glob matches, sorted.
 * @throws BlvitError `NOT_FOUND`
 */
export async function existingPaths(argument: string): Promise<string[]> {
  const missing: unknown = await stat(argument).then(
    () => undefined,
    (cause) => cause,
  )
  if (missing === undefined) return [argument]
  if ((await lstat(argument).catch(() => undefined))?.isSymbolicLink())
    throw await explainFileError(argument, missing)
  const other = await inOtherUnicodeForm(argument)
  if (other !== undefined) return [other]
  if (/[*?[\]{}]/.test(argument)) {
    const { glob } = await import('tinyglobby')
    const files = await withoutCircles(
      await glob(argument, { absolute: isAbsolute(argument), expandDirectories: false }),
    )
    if (files.length === 0) throw new BlvitError('NOT_FOUND', `No file matches ${argument}.`)
    return files.sort()
  }
  throw new BlvitError(
    'NOT_FOUND',
    `There is no file or folder ${argument}.${didYouMean(basename(argument), neighbours(argument))}`,
  )
}

/** A folder that links lead to several times gives its files once, by the shortest way. */
async function withoutCircles(files: readonly string[]): Promise<string[]> {
  const folders = new Map<string, Promise<string>>()
  const seen = new Set<string>()
  const kept: string[] = []
  for (const file of files.toSorted((a, b) => a.length - b.length || (a < b ? -1 : 1))) {
    const folder = dirname(file)
    const real = folders.get(folder) ?? realpath(folder).catch(() => folder)
    folders.set(folder, real)
    const place = join(await real, basename(file))
    if (!seen.has(place)) kept.push(file)
    seen.add(place)
  }
  return kept
}

/** What lies in a folder. @throws BlvitError `NOT_FOUND` if it can't be read */
export async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true })
  } catch (cause) {
    throw new BlvitError(
      'NOT_FOUND',
      `The folder ${folder} can't be read: ${fileReason(cause)}.`,
      { path: folder },
      { cause },
    )
  }
}

/** True for a folder that exists. */
export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false
}
