import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BlvitError, messageOf, throwIfAborted } from '../../base/blvit-error.js'
import { didYouMean } from '../../base/suggest.js'
import { downloadImage } from './download.js'

/** A picture that is still encoded: a path, a `file:` or `http(s):` address, or the bytes themselves. */
export type EncodedImage = string | URL | Uint8Array | Blob

/** Encoded bytes with the name by which messages speak of them. */
export interface ImageBytes {
  readonly name: string
  readonly bytes: Uint8Array
}

// 100 megapixels of uncompressed 16-bit RGBA are 800 MB: nothing larger passes the pixel limit anyway.
const maxFileBytes = 1_000_000_000

/**
 * Reads the encoded bytes of a picture, wherever they are.
 * @throws BlvitError `NOT_FOUND`, `BAD_IMAGE`, `BAD_OPTION` (unknown kind of address), `OFFLINE`, `ABORTED`
 */
export async function readImageBytes(
  input: EncodedImage,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<ImageBytes> {
  throwIfAborted(signal)
  if (input instanceof Uint8Array) return { name: `the picture of ${input.length} bytes`, bytes: input }
  if (input instanceof Blob) return readBlob(input)

  const address = addressOf(input)
  if (typeof address === 'string') return { name: address, bytes: await readImageFile(address, signal) }
  switch (address.protocol) {
    case 'file:':
      return { name: address.href, bytes: await readImageFile(fileURLToPath(address), signal) }
    case 'http:':
    case 'https:':
      return { name: address.href, bytes: await downloadImage(address, { signal }) }
    default:
      throw new BlvitError(
        'BAD_OPTION',
        `${address.href.slice(0, 80)} is a ${address.protocol} address; pictures are read from file:, http: and https:.`,
        { url: address.href },
      )
  }
}

/** A string is a path unless it starts like an address (`C:\…` is a path). */
function addressOf(input: string | URL): string | URL {
  if (typeof input !== 'string' || !/^(https?|file):\/\//i.test(input)) return input
  if (!URL.canParse(input)) {
    throw new BlvitError('BAD_OPTION', `${input} is not a valid address.`, { url: input })
  }
  return new URL(input)
}

async function readBlob(blob: Blob): Promise<ImageBytes> {
  const name =
    'name' in blob && typeof blob.name === 'string' ? blob.name : `the picture of ${blob.size} bytes`
  checkSize(name, blob.size)
  return { name, bytes: new Uint8Array(await blob.arrayBuffer()) }
}

async function readImageFile(path: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
  try {
    const entry = await stat(path)
    if (entry.isDirectory()) {
      throw new BlvitError('BAD_IMAGE', `${path} is a folder; name one picture in it.`, { path })
    }
    if (!entry.isFile()) {
      throw new BlvitError('BAD_IMAGE', `${path} is not a regular file; pass a picture file.`, { path })
    }
    checkSize(path, entry.size)
    return await readFile(path, { signal })
  } catch (thrown) {
    throwIfAborted(signal)
    if (thrown instanceof BlvitError) throw thrown
    throw await explainFileError(path, thrown)
  }
}

async function explainFileError(path: string, cause: unknown): Promise<BlvitError> {
  const code = (cause as NodeJS.ErrnoException).code
  if (code !== 'ENOENT' && code !== 'ENOTDIR') {
    return new BlvitError('BAD_IMAGE', `${path} cannot be read: ${messageOf(cause)}.`, { path }, { cause })
  }
  const folder = dirname(path)
  const siblings = await readdir(folder).catch(() => undefined)
  const hint =
    siblings === undefined
      ? ` There is no folder ${folder} either; the current folder is ${process.cwd()}.`
      : didYouMean(basename(path), siblings)
  return new BlvitError('NOT_FOUND', `There is no file ${path}.${hint}`, { path }, { cause })
}

function checkSize(name: string, sizeBytes: number): void {
  if (sizeBytes > maxFileBytes) {
    throw new BlvitError(
      'BAD_IMAGE',
      `${name} has ${sizeBytes} bytes, more than the limit of ${maxFileBytes} for one picture; scale it down first.`,
      { name, sizeBytes, maxFileBytes },
    )
  }
}
