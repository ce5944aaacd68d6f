import { type Dirent, readdirSync } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, extname } from 'node:path'
import { glob } from 'tinyglobby'
import { BlvitError, messageOf } from '../base/blvit-error.js'
import { didYouMean } from '../base/suggest.js'

/** Names that count as pictures when a folder is searched. */
export const pictureExtensions: ReadonlySet<string> = new Set([
  '.jpg',
  '.jpeg',
  '.png',
  '.webp',
  '.gif',
  '.tif',
  '.tiff',
  '.avif',
])

/** The pictures below a folder, relative to it, with `/` on every system, sorted. Hidden files don't count. */
export async function picturesBelow(folder: string): Promise<string[]> {
  const files = await glob('**/*', { cwd: folder, absolute: false, dot: false, expandDirectories: false })
  return files.filter((file) => pictureExtensions.has(extname(file).toLowerCase())).sort()
}

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
  if (await stat(argument).catch(() => undefined)) return [argument]
  if (/[*?[\]{}]/.test(argument)) {
    const files = await glob(argument, { expandDirectories: false })
    if (files.length === 0) throw new BlvitError('NOT_FOUND', `No file matches ${argument}.`)
    return files.sort()
  }
  throw new BlvitError(
    'NOT_FOUND',
    `There is no file or folder ${argument}.${didYouMean(basename(argument), neighbours(argument))}`,
  )
}

/** What lies in a folder. @throws BlvitError `NOT_FOUND` if it can't be read */
export async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true })
  } catch (cause) {
    throw new BlvitError(
      'NOT_FOUND',
      `The folder ${folder} can't be read: ${messageOf(cause)}.`,
      { path: folder },
      { cause },
    )
  }
}

/** True for a folder that exists. */
export async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false
}
