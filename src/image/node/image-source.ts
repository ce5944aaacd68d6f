import { lstat, readdir, readFile, readlink, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BlvitError, fileReason, messageOf, throwIfAborted } from '../../base/blvit-error.js'
import { didYouMean } from '../../base/suggest.js'
import { inOtherUnicodeForm } from '../../files/unicode-path.js'
import { bytesIn, type EncodedImage, isAddress, isBlob } from '../image-input.js'
import { downloadImage } from './download.js'

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
  const bytes = bytesIn(input)
  if (bytes) return { name: `the picture of ${bytes.length} bytes`, bytes }
  if (isBlob(input)) return readBlob(input)

  const address = addressOf(input as string | URL)
  if (typeof address === 'string') return { name: address, bytes: await readImageFile(address, signal) }
  switch (address.protocol) {
    case 'file:':
      return { name: address.href, bytes: await readImageFile(pathOf(address), signal) }
    case 'http:':
    case 'https:':
      return { name: address.href, bytes: await downloadImage(address, { signal }) }
    case 'data:':
    case 'blob:':
      return readAddressInMemory(address)
    default:
      throw new BlvitError(
        'BAD_OPTION',
        `${address.href.slice(0, 80)} is a ${address.protocol} address; pictures are read from file:, http:, https:, ` +
          'data: and blob:.',
        { url: address.href.slice(0, 80) },
      )
  }
}

/** A string is a path unless it starts like an address (`C:\…` is a path). */
function addressOf(input: string | URL): string | URL {
  if (typeof input !== 'string') return new URL(input.href)
  if (!isAddress(input)) return input
  if (!URL.canParse(input)) {
    throw new BlvitError('BAD_OPTION', `${input} is not a valid address.`, { url: input })
  }
  return new URL(input)
}

function pathOf(address: URL): string {
  try {
    return fileURLToPath(address)
  } catch (cause) {
    throw new BlvitError(
      'BAD_OPTION',
      `${address.href} is no address of a file on this machine: ${messageOf(cause)}.`,
      { url: address.href },
      { cause },
    )
  }
}

async function readAddressInMemory(address: URL): Promise<ImageBytes> {
  const name = `the ${address.protocol} address ${address.href.slice(0, 40)}…`
  try {
    const blob = await (await fetch(address)).blob()
    checkSize(name, blob.size)
    return { name, bytes: new Uint8Array(await blob.arrayBuffer()) }
  } catch (thrown) {
    if (thrown instanceof BlvitError) throw thrown
    throw new BlvitError(
      'BAD_IMAGE',
      address.protocol === 'data:'
        ? `${name} can't be read; expected data:image/<kind>;base64,<bytes>.`
        : `${name} can't be read: it was revoked, or belongs to another thread or page.`,
      {},
      { cause: thrown },
    )
  }
}

async function readBlob(blob: Blob): Promise<ImageBytes> {
  const name =
    'name' in blob && typeof blob.name === 'string' ? blob.name : `the picture of ${blob.size} bytes`
  checkSize(name, blob.size)
  return { name, bytes: new Uint8Array(await blob.arrayBuffer()) }
}

/** The bytes of a picture file. @throws BlvitError `BAD_IMAGE`, `NOT_FOUND`, `ABORTED` */
export async function readImageFile(path: string, signal?: AbortSignal): Promise<Uint8Array> {
  try {
    return await readRegularFile(path, signal)
  } catch (thrown) {
    throwIfAborted(signal)
    if (thrown instanceof BlvitError) throw thrown
    const other = isMissing(thrown) ? await inOtherUnicodeForm(path) : undefined
    if (other !== undefined) return readImageFile(other, signal)
    throw await explainFileError(path, thrown)
  }
}

async function readRegularFile(path: string, signal?: AbortSignal): Promise<Uint8Array> {
  const entry = await stat(path)
  if (entry.isDirectory()) {
    throw new BlvitError('BAD_IMAGE', `${path} is a folder; name one picture in it.`, { path })
  }
  if (!entry.isFile()) {
    throw new BlvitError('BAD_IMAGE', `${path} is not a regular file; pass a picture file.`, { path })
  }
  checkSize(path, entry.size)
  return readFile(path, signal && { signal })
}

function isMissing(thrown: unknown): boolean {
  const { code } = thrown as NodeJS.ErrnoException
  return code === 'ENOENT' || code === 'ENOTDIR'
}

/** Why a file can’t be read, with the name that was perhaps meant. */
export async function explainFileError(path: string, cause: unknown): Promise<BlvitError> {
  if (path === '') return new BlvitError('NOT_FOUND', 'The path of a picture is empty.', {}, { cause })
  const { code } = cause as NodeJS.ErrnoException
  const isLink = (await lstat(path).catch(() => undefined))?.isSymbolicLink() ?? false
  if (isLink && (isMissing(cause) || code === 'ELOOP')) {
    const target = await readlink(path).catch(() => '')
    const where = code === 'ELOOP' ? 'in a circle' : `to ${target}, which isn't there`
    return new BlvitError('NOT_FOUND', `${path} is a link that leads ${where}.`, { path, target }, { cause })
  }
  if (!isMissing(cause)) {
    return new BlvitError('BAD_IMAGE', `${path} cannot be read: ${fileReason(cause)}.`, { path }, { cause })
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
