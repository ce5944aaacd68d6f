import type { Metadata, Sharp } from 'sharp'
import { BlvitError, throwIfAborted } from '../../base/blvit-error.js'
import { bmpHeader, bmpPixels } from '../bmp.js'
import { rgbFromCmyk } from '../cmyk.js'
import type { Size } from '../crop-window.js'
import { type ImageInput, isEncoded, isPixels, noImageInput } from '../image-input.js'
import { formatByContent, formatByName, formatNames, heic, type PictureFormat } from '../picture-formats.js'
import { checkPixelCount, mostPixels } from '../pixel-limit.js'
import type { Pixels } from '../pixels.js'
import type { DecodeOptions, ImageDecoder } from '../prepare.js'
import { rgbFromRaw } from '../raw-pixels.js'
import { reducedSize } from '../reduced-size.js'
import { runWithPauses } from '../steps.js'
import { type ImageBytes, readImageBytes } from './image-source.js'
import { loadSharp } from './sharp.js'

/**
 * Decodes a picture to 8-bit RGB as `ImageOps.exif_transpose(Image.open(file)).convert('RGB')` of Pillow does:
 * turned upright by its EXIF orientation, alpha dropped (not composited), colour profiles ignored, the first
 * frame of an animation, CMYK by Pillow's formula. 16 bits become 8 by dropping the low byte (Pillow clips
 * 16-bit grey instead, which leaves white). JPEG, PNG, WebP, TIFF and BMP give Pillow's bytes. What kind of picture
 * it is is decided by its content, whatever its name is.
 *
 * @throws BlvitError `BAD_IMAGE` (empty, truncated, no picture, too large, a folder), `NOT_FOUND`,
 * `OFFLINE`, `BAD_OPTION`, `ABORTED`
 * @example
 * const pixels = await decodeImage('owl.jpg')
 */
export async function decodeImage(
  input: ImageInput,
  { maxPixels = mostPixels, atLeast, signal, beforeDecoding }: DecodeOptions = {},
): Promise<Pixels> {
  if (!(maxPixels >= 1)) {
    throw new BlvitError('BAD_OPTION', `maxPixels is ${maxPixels}; it must be at least 1.`, { maxPixels })
  }
  throwIfAborted(signal)
  if (!isEncoded(input)) {
    if (!isPixels(input)) throw noImageInput(input)
    checkPixelCount('A picture of raw pixels', input, maxPixels)
    return runWithPauses(rgbFromRaw(input), { signal })
  }
  const source = await readImageBytes(input, { signal })
  if (source.bytes.length === 0) {
    throw new BlvitError('BAD_IMAGE', `${source.name} is empty; expected a ${formatNames} picture.`, {
      name: source.name,
    })
  }
  const format = readableFormat(source)
  await beforeDecoding?.()
  if (format === 'BMP') {
    const header = bmpHeader(source.bytes, source.name)
    checkPixelCount(source.name, header, maxPixels)
    return runWithPauses(bmpPixels(source.bytes, header, source.name), { signal })
  }
  const header = await readHeader(source)
  if (header.compression === 'hevc') throw refusal(source, heic)
  checkPixelCount(source.name, header, maxPixels)
  checkDepth(source, header)
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
    // libvips keeps its reasons where all its threads write: the one that is here may be another picture's
    throw notAPicture(source, undefined, cause)
  }
}

/**
 * What a picture is by its content. Nothing but the kinds of the table comes before libvips, whose other readers (SVG
 * for one) were not made for strangers' files.
 */
function readableFormat({ name, bytes }: ImageBytes): string {
  const format = formatByContent(bytes)
  const likely = format ?? formatByName(name)
  if (likely?.refused !== undefined) throw refusal({ name, bytes }, likely)
  if (format) return format.name
  throw notAPicture({ name, bytes }, whatElse(bytes))
}

function refusal({ name }: ImageBytes, format: PictureFormat): BlvitError {
  const message = `${name} is ${format.name}, which isn't read: ${format.refused}.`
  return new BlvitError('BAD_IMAGE', message, { name, format: format.name })
}

/** What people find in place of a picture. */
function whatElse(bytes: Uint8Array): string {
  const start = Buffer.from(bytes.subarray(0, 100)).toString('latin1').trimStart().toLowerCase()
  if (/^<(!doctype html|html|head)/.test(start))
    return 'it is a web page, perhaps a download that was refused'
  if (start.startsWith('version https://git-lfs'))
    return 'it is a pointer of Git LFS, get the file by git lfs pull'
  return 'it begins like no picture that is known'
}

function checkDepth({ name }: ImageBytes, { depth }: Metadata): void {
  if (depth === 'uchar' || depth === 'ushort') return
  throw new BlvitError(
    'BAD_IMAGE',
    `${name} has ${depth} samples, whose white is not defined; save it with 8 or 16 bits a channel.`,
    { name, depth },
  )
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
    limitInputPixels: false, // checkPixelCount has compared with maxPixels
  })
  if (atLeast !== undefined && header.format === 'jpeg') {
    const reduced = reducedSize(header.autoOrient, atLeast)
    if (reduced !== undefined) picture.resize({ ...reduced, fit: 'fill' })
  }
  try {
    return header.space === 'cmyk' ? await decodeCmyk(picture) : await decodeRgb(picture)
  } catch (cause) {
    // libvips keeps its reasons where all its threads write: the one that is here may be another picture's
    throw notAPicture(source, undefined, cause)
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

function notAPicture({ name, bytes }: ImageBytes, why?: string, cause?: unknown): BlvitError {
  return new BlvitError(
    'BAD_IMAGE',
    `${name} can't be decoded${why === undefined ? '' : ` (${why})`}: its ${bytes.length} bytes are damaged, cut off or no picture. ` +
      `Expected ${formatNames}.`,
    { name, sizeBytes: bytes.length },
    cause === undefined ? {} : { cause },
  )
}

/** sharp's. */
export const nodeDecoder: ImageDecoder = { decode: decodeImage, warmUp: loadSharp }
