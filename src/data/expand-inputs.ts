import { join } from 'node:path'
import { BlvitError } from '../base/blvit-error.js'
import { packageFile } from '../files/package-file.js'
import { isAddress } from '../image/image-input.js'
import { readExtensions } from '../image/picture-formats.js'
import { existingPaths, isFolder } from './find-files.js'
import { findPictures } from './walk-pictures.js'

/** A picture to read: its name for people, and where it is. */
export interface PictureInput {
  readonly name: string
  readonly source: string | Uint8Array
}

/** What of standard input is a picture: called at most once, for the argument `-`. */
export type ReadStandardInput = () => Promise<Uint8Array>

/** The pictures of a folder and of its folders. @throws BlvitError `NOT_FOUND` if it holds none */
export async function picturesIn(folder: string): Promise<string[]> {
  return (await searched(folder)).pictures
}

interface Searched {
  readonly pictures: string[]
  /** Links that lead nowhere, folders that can't be read. */
  readonly errors: readonly BlvitError[]
}

async function searched(folder: string): Promise<Searched> {
  const { files, bad } = await findPictures(folder)
  const errors = bad.map(({ error }) => error)
  if (files.length === 0) {
    throw (
      errors[0] ??
      new BlvitError(
        'NOT_FOUND',
        `${folder} holds no pictures (looked for ${readExtensions.join(' ')}, in its folders too).`,
      )
    )
  }
  return { pictures: files.map((file) => join(folder, file)), errors }
}

async function expandOne(argument: string): Promise<Searched> {
  if (await isFolder(argument)) return searched(argument)
  return { pictures: await existingPaths(argument), errors: [] }
}

// An address may hold the whole picture.
const shownAddress = 60

function nameOf(address: string): string {
  return address.startsWith('data:') && address.length > shownAddress
    ? `${address.slice(0, shownAddress)}…`
    : address
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
    else if (isAddress(argument)) pictures.push({ name: nameOf(argument), source: argument })
    else {
      try {
        const found = await expandOne(argument)
        for (const file of found.pictures) pictures.push({ name: file, source: file })
        errors.push(...found.errors)
      } catch (thrown) {
        if (!(thrown instanceof BlvitError)) throw thrown
        errors.push(thrown)
      }
    }
  }
  return { pictures, errors }
}

/** The photographs that come with blvit. */
export function examplePictures(): Promise<string[]> {
  return picturesIn(packageFile('examples', 'The folder of example photographs'))
}
