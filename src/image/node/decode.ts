import type { Metadata, Sharp } from 'sharp'
import { BlvitError, messageOf, throwIfAborted } from '../../base/blvit-error.js'
import { rgbFromCmyk } from '../cmyk.js'
import type { Size } from '../crop-window.js'
import type { Pixels } from '../pixels.js'
import { type RawPixels, rgbFromRaw } from '../raw-pixels.js'
import { reducedSize } from '../reduced-size.js'
import { runWithPauses } from '../steps.js'
import { type EncodedImage, type ImageBytes, readImageBytes } from './image-source.js'
import { loadSharp } from './sharp.js'

/** Everything that can be given as a picture: a path, an address, encoded bytes, or pixels. */
export type ImageInput = EncodedImage | Pixels | RawPixels

export interface DecodeOptions {
  /** largest accepted width × height; default 100 megapixels */
  readonly maxPixels?: number
  /**
   * Lets a JPEG that is at least three times as large come back at a third, a fifth or a ninth of its size, no side
   * smaller than this (in pixels, upright): twice as fast, but no longer the bytes of Pillow. Default: the full size.
   */
  readonly atLeast?: Size | undefined
  readonly signal?: AbortSignal | undefined
}

// The largest cameras have 100 megapixels: 300 MB as RGB. A tiny file can claim far more.
const defaultMaxPixels = 100_000_000

// What Pillow reads too and what holds a photograph; sharp alone would also render SVG.
const photoFormats: readonly string[] = ['jpeg', 'png', 'webp', 'gif', 'tiff', 'heif']
const formatNames = 'JPEG, PNG, WebP, GIF, TIFF or AVIF'

/**
 * Decodes a picture to 8-bit RGB as `ImageOps.exif_transpose(Image.open(file)).convert('RGB')` of Pillow does:
 * turned upright by its EXIF orientation, alpha dropped (not composited), colour profiles ignored, the first
 * frame of an animation, CMYK by Pillow's formula. 16 bits become 8 by dropping the low byte (Pillow clips
 * 16-bit grey instead, which leaves white). JPEG, PNG, WebP and TIFF give Pillow's bytes.
 *
 * @throws BlvitError `BAD_IMAGE` (empty, truncated, no picture, too large, a folder), `NOT_FOUND`,
 * `OFFLINE`, `BAD_OPTION`, `ABORTED`
 * @example
 * const pixels = await decodeImage('owl.jpg')
 */
export async function decodeImage(
  input: ImageInput,
  { maxPixels = defaultMaxPixels, atLeast, signal }: DecodeOptions = {},
): Promise<Pixels> {
  if (!(maxPixels >= 1)) {
    throw new BlvitError('BAD_OPTION', `maxPixels is ${maxPixels}; it must be at least 1.`, { maxPixels })
  }
  throwIfAborted(signal)
  if (isRaw(input)) return runWithPauses(rgbFromRaw(input), { signal })
  if (!isEncoded(input)) {
    throw new BlvitError(
      'BAD_OPTION',
      `A picture is a path, a URL, encoded bytes, a Blob or { width, height, values }; got ${kindOf(input)}.`,
    )
  }
  const source = await readImageBytes(input, { signal })
  if (source.bytes.length === 0) {
    throw new BlvitError('BAD_IMAGE', `${source.name} is empty; expected a ${formatNames} picture.`, {
      name: source.name,
    })
  }
  const header = await readHeader(source)
  checkHeader(source, header, maxPixels)
  throwIfAborted(signal)
  const pixels = await decodePixels(source, header, atLeast)
  throwIfAborted(signal)
  return pixels
}

async function readHeader(source: ImageBytes): Promise<Metadata> {
  try {
    const sharp = await loadSharp()
    // sharp's own limit is off here only so that our message can name the size.
    return await sharp(source.bytes, { limitInputPixels: false }).metadata()
  } catch (cause) {
    throw notAPicture(source, cause)
  }
}

function checkHeader({ name }: ImageBytes, header: Metadata, maxPixels: number): void {
  const { width, height, format, depth } = header
  if (!photoFormats.includes(format)) {
    throw new BlvitError('BAD_IMAGE', `${name} is ${format}; expected ${formatNames}.`, { name, format })
  }
  if (!(width * height <= maxPixels)) {
    throw new BlvitError(
      'BAD_IMAGE',
      `${name} is ${width} × ${height}, ${width * height} pixels; the limit is ${maxPixels}. Scale it down or raise maxPixels.`,
      { name, width, height, maxPixels },
    )
  }
  if (depth !== 'uchar' && depth !== 'ushort') {
    throw new BlvitError(
      'BAD_IMAGE',
      `${name} has ${depth} samples, whose white is not defined; save it with 8 or 16 bits a channel.`,
      { name, depth },
    )
  }
}

async function decodePixels(
  source: ImageBytes,
  header: Metadata,
  atLeast: Size | undefined,
): Promise<Pixels> {
  const sharp = await loadSharp()
  const picture = sharp(source.bytes, {
    autoOrient: true,
    failOn: 'error', // otherwise a truncated JPEG comes back half grey
    ignoreIcc: true, // Pillow keeps the numbers of the file
    limitInputPixels: false, // checkHeader has compared with maxPixels
  })
  if (atLeast !== undefined && header.format === 'jpeg') {
    const reduced = reducedSize(header.autoOrient, atLeast)
    if (reduced !== undefined) picture.resize({ ...reduced, fit: 'fill' })
  }
  try {
    return header.space === 'cmyk' ? await decodeCmyk(picture) : await decodeRgb(picture)
  } catch (cause) {
    throw notAPicture(source, cause)
  }
}

async function decodeRgb(picture: Sharp): Promise<Pixels> {
  const { data, info } = await picture
    .removeAlpha()
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  return { width: info.width, height: info.height, values: data }
}

async function decodeCmyk(picture: Sharp): Promise<Pixels> {
  // Kept as ink: sharp's own conversion goes through a press profile that Pillow doesn't apply.
  const { data, info } = await picture
    .pipelineColourspace('cmyk')
    .toColourspace('cmyk')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
  return { width: info.width, height: info.height, values: await runWithPauses(rgbFromCmyk(data)) }
}

function notAPicture({ name, bytes }: ImageBytes, cause: unknown): BlvitError {
  const reason = messageOf(cause).trim().replace(/[.:]$/, '')
  return new BlvitError(
    'BAD_IMAGE',
    `${name} can't be decoded (${reason}): its ${bytes.length} bytes are damaged, cut off or no picture. ` +
      `Expected ${formatNames}.`,
    { name, sizeBytes: bytes.length },
    { cause },
  )
}

function isRaw(input: unknown): input is Pixels | RawPixels {
  return (
    typeof input === 'object' && input !== null && 'width' in input && 'values' in input && !isEncoded(input)
  )
}

function isEncoded(input: unknown): input is EncodedImage {
  return (
    typeof input === 'string' || input instanceof URL || input instanceof Uint8Array || input instanceof Blob
  )
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value === 'object' ? value.constructor.name : typeof value
}
