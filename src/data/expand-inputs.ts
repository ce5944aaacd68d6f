import { join } from 'node:path'
import { BlvitError } from '../base/blvit-error.js'
import { existingPaths, isFolder, pictureExtensions, picturesBelow } from './find-files.js'

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

/** The pictures of a folder and of its folders. @throws BlvitError `NOT_FOUND` if it holds none */
export async function picturesIn(folder: string): Promise<string[]> {
  const pictures = await picturesBelow(folder)
  if (pictures.length === 0) {
    throw new BlvitError(
      'NOT_FOUND',
      `${folder} holds no pictures (looked for ${[...pictureExtensions].join(' ')}, in its folders too).`,
    )
  }
  return pictures.map((file) => join(folder, file))
}

async function expandOne(argument: string): Promise<string[]> {
  return (await isFolder(argument)) ? picturesIn(argument) : existingPaths(argument)
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
