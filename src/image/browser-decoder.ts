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
    const message = `A picture of ${blob.size} bytes can't be decoded (${messageOf(cause)}): it is damaged, or of a kind that this browser doesn't know.`
    throw new BlvitError('BAD_IMAGE', message, { sizeBytes: blob.size }, { cause })
  }
  const { width, height } = bitmap
  if (width * height > maxPixels) {
    bitmap.close()
    const message = `A picture is ${width} × ${height}, ${width * height} pixels; the limit is ${maxPixels}. Scale it down first.`
    throw new BlvitError('BAD_IMAGE', message, { width, height, maxPixels })
  }
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })
  if (!context)
    throw new BlvitError('BAD_IMAGE', `This browser has no canvas for ${width} × ${height} pixels.`)
  context.drawImage(bitmap, 0, 0)
  bitmap.close()
  return context.getImageData(0, 0, width, height)
}

async function decode(
  image: ImageInput,
  { maxPixels = Number.POSITIVE_INFINITY, signal, beforeDecoding }: DecodeOptions = {},
): Promise<Pixels> {
  throwIfAborted(signal)
  if (!isEncoded(image)) {
    if (!isPixels(image)) throw noImageInput(image)
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
export const browserDecoder: ImageDecoder = { decode }
