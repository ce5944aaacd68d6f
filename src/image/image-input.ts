import { BlvitError } from '../base/blvit-error.js'
import type { Pixels } from './pixels.js'
import type { CanvasPixels, RawPixels } from './raw-pixels.js'

/** A picture that is still encoded: a path, a `file:`, `http(s):`, `data:` or `blob:` address, or the bytes themselves. */
export type EncodedImage = string | URL | Uint8Array | DataView | ArrayBufferLike | Blob

/** Everything that can be given as a picture: a path, an address, encoded bytes, or pixels. */
export type ImageInput = EncodedImage | Pixels | RawPixels | CanvasPixels

/** Is it something whose encoded bytes can be read? By shape, not by class: other realms have classes of their own. */
export function isEncoded(input: unknown): input is EncodedImage {
  return typeof input === 'string' || isUrl(input) || isBlob(input) || bytesIn(input) !== undefined
}

function isUrl(input: unknown): input is URL {
  return typeof input === 'object' && input !== null && 'href' in input && 'protocol' in input
}

export function isBlob(input: unknown): input is Blob {
  return typeof input === 'object' && input !== null && 'arrayBuffer' in input && 'size' in input
}

function classOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1)
}

/** @returns undefined for what is no memory of bytes; samples in other arrays need a width and a height */
export function bytesIn(input: unknown): Uint8Array | undefined {
  const kind = classOf(input)
  if (kind === 'ArrayBuffer') return new Uint8Array(input as ArrayBuffer)
  // sharp reads in other threads: what several may write to is copied first
  if (kind === 'SharedArrayBuffer') return Uint8Array.from(new Uint8Array(input as SharedArrayBuffer))
  if (kind !== 'Uint8Array' && kind !== 'DataView') return undefined
  const { buffer, byteOffset, byteLength } = input as Uint8Array | DataView
  const bytes = new Uint8Array(buffer, byteOffset, byteLength)
  return classOf(buffer) === 'SharedArrayBuffer' ? Uint8Array.from(bytes) : bytes
}

/** Does a text begin like an address of a picture? */
export function isAddress(text: string): boolean {
  return /^(?:(?:https?|file):\/\/|blob:|data:[^,]{0,200},)/i.test(text)
}

/** Pixels in memory; what is wrong with them is told when they are read. */
export function isPixels(input: unknown): input is Pixels | RawPixels | CanvasPixels {
  return (
    typeof input === 'object' && input !== null && 'width' in input && ('values' in input || 'data' in input)
  )
}

export function noImageInput(input: unknown): BlvitError {
  return new BlvitError(
    'BAD_OPTION',
    'A picture is a path, a URL, a file:, http:, https:, data: or blob: address, encoded bytes (Uint8Array, ArrayBuffer, ' +
      `Blob), an ImageData or pixels { width, height, channels, values }; got ${kindOf(input)}.`,
  )
}

function kindOf(value: unknown): string {
  if (value === null || typeof value !== 'object') return value === null ? 'null' : typeof value
  const { name } = (value as { constructor?: { name?: unknown } }).constructor ?? {}
  return typeof name === 'string' && name !== '' ? name : 'object'
}
