import { readdirSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { glob } from 'tinyglobby'
import { BlvitError } from '../errors/blvit-error.js'
import { didYouMean } from '../errors/suggest.js'

/** Names that count as pictures when a folder is searched. */
const pictureExtensions = new Set(['.jpg', '.jpeg', '.png', '.webp', '.gif', '.tif', '.tiff', '.avif'])

/** A picture to read: its name for people, and where it is. */
export interface PictureInput {
  readonly name: string
  readonly source: string | Uint8Array
}

/** What of standard input is a picture: called at most once, for the argument `-`. */
export type ReadStandardInput = () => Promise<Uint8Array>

function isUrl(text: string): boolean {
  return /^https?:\/\//i.test(text)
}

async function picturesBelow(folder: string): Promise<string[]> {
  const files = await glob('**/*', { cwd: folder, absolute: false, dot: false, expandDirectories: false })
  const pictures = files.filter((file) => pictureExtensions.has(extname(file).toLowerCase())).sort()
  if (pictures.length === 0) {
    throw new BlvitError(
      'NOT_FOUND',
      `${folder} holds no pictures (looked for ${[...pictureExtensions].join(' ')}, in its folders too).`,
    )
  }
  return pictures.map((file) => join(folder, file))
}

function neighbours(path: string): string[] {
  try {
    return readdirSync(dirname(path))
  } catch {
    return []
  }
}

async function expandOne(argument: string): Promise<string[]> {
  const found = await stat(argument).catch(() => undefined)
  if (found?.isDirectory()) return picturesBelow(argument)
  if (found) return [argument]
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

/**
 * Turns what a user typed into a list of pictures: files, folders (searched through), globs, URLs, and `-` for
 * one picture on standard input.
 * @returns the pictures, and one error for each argument that names none
 */
export async function expandInputs(
  args: readonly string[],
  { readStandardInput }: { readStandardInput: ReadStandardInput },
): Promise<{ pictures: PictureInput[]; errors: BlvitError[] }> {
  const pictures: PictureInput[] = []
  const errors: BlvitError[] = []
  for (const argument of args) {
    if (argument === '-') pictures.push({ name: 'standard input', source: await readStandardInput() })
    else if (isUrl(argument)) pictures.push({ name: argument, source: argument })
    else {
      try {
        for (const file of await expandOne(argument)) pictures.push({ name: file, source: file })
      } catch (thrown) {
        if (!(thrown instanceof BlvitError)) throw thrown
        errors.push(thrown)
      }
    }
  }
  return { pictures, errors }
}
