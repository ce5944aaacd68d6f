import { BlvitError, messageOf, throwIfAborted } from '../base/blvit-error.js'
import {
  bytesIn,
  type EncodedImage,
  type ImageInput,
  isBlob,
  isEncoded,
  isPixels,
  noImageInput,
} from './image-input.js'
import { formatByContent, startBytes } from './picture-formats.js'
import { checkPixelCount, mostPixels } from './pixel-limit.js'
import type { Pixels } from './pixels.js'
import type { DecodeOptions, ImageDecoder } from './prepare.js'
import { rgbFromRaw } from './raw-pixels.js'
import { runWithPauses } from './steps.js'

async function blobOf(input: EncodedImage, signal: AbortSignal | undefined): Promise<Blob> {
  if (isBlob(input)) return input
  const bytes = bytesIn(input)
  if (bytes) return new Blob([Uint8Array.from(bytes)])
  const address = String(input)
  try {
    const response = await fetch(address, signal ? { signal } : {})
    if (response.ok) return await response.blob()
    throw new BlvitError('NOT_FOUND', `${address} can't be fetched: the server answers ${response.status}.`)
  } catch (cause) {
    throwIfAborted(signal)
    if (cause instanceof BlvitError) throw cause
    const message = `${address} can't be fetched (${messageOf(cause)}): there is no connection, or its server doesn't let other pages read it (CORS).`
    throw new BlvitError('OFFLINE', message, { url: address }, { cause })
  }
}

/** Why a browser can't decode something, by what it begins with. */
async function undecodable(blob: Blob, cause: unknown): Promise<BlvitError> {
  const sizeBytes = blob.size
  const failure = (message: string) => new BlvitError('BAD_IMAGE', message, { sizeBytes }, { cause })
  if (sizeBytes === 0) return failure('The picture is empty: it has 0 bytes.')
  const format = formatByContent(new Uint8Array(await blob.slice(0, startBytes).arrayBuffer()))
  const what = `A picture of ${sizeBytes} bytes can't be decoded (${messageOf(cause)})`
  if (!format) {
    return failure(
      `${what}: its content is that of no known kind of picture. Browsers read JPEG, PNG, WebP, GIF and most AVIF.`,
    )
  }
  return failure(
    `${what}: it is ${format.name}, and damaged or not among what this browser decodes. Convert it to JPEG or PNG.`,
  )
}

/** As the browser decodes it: upright, without colour management, alpha dropped. */
async function decodeBlob(blob: Blob, maxPixels: number): Promise<ImageData> {
  let bitmap: ImageBitmap
  try {
    bitmap = await createImageBitmap(blob, {
      imageOrientation: 'from-image',
      premultiplyAlpha: 'none',
      colorSpaceConversion: 'none',
    })
  } catch (cause) {
    throw await undecodable(blob, cause)
  }
  const { width, height } = bitmap
  try {
    checkPixelCount('A picture', bitmap, maxPixels)
  } catch (thrown) {
    bitmap.close()
    throw thrown
  }
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })
  if (!context)
    throw new BlvitError('BAD_IMAGE', `This browser has no canvas for ${width} × ${height} pixels.`)
  context.drawImage(bitmap, 0, 0)
  bitmap.close()
  return context.getImageData(0, 0, width, height)
}

/**
 * Pixels of a picture, as the browser decodes it: RGB, upright.
 * @throws BlvitError `BAD_IMAGE`, `NOT_FOUND`, `OFFLINE`, `ABORTED`
 */
export async function decodeImage(
  image: ImageInput,
  { maxPixels = mostPixels, signal, beforeDecoding }: DecodeOptions = {},
): Promise<Pixels> {
  throwIfAborted(signal)
  if (!isEncoded(image)) {
    if (!isPixels(image)) throw noImageInput(image)
    checkPixelCount('A picture of raw pixels', image, maxPixels)
    return runWithPauses(rgbFromRaw(image), { signal })
  }
  const blob = await blobOf(image, signal)
  await beforeDecoding?.()
  return runWithPauses(rgbFromRaw(await decodeBlob(blob, maxPixels)), { signal })
}

/**
 * The browser's own decoder: addresses (relative to the page), Blobs and encoded bytes of what it knows, or pixels, which
 * are taken as they are: only those are the same everywhere.
 */
export const browserDecoder: ImageDecoder = { decode: decodeImage }
