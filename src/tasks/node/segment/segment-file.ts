import { readFile } from 'node:fs/promises'
import { BlvitError, fileReason } from '../../../base/blvit-error.js'
import { writeWholeFile } from '../../../files/output-files.js'
import type { ImageInput } from '../../../image/image-input.js'
import { decodeImage } from '../../../image/node/decode.js'
import { encodeRawPng } from '../../../image/node/encode.js'
import { type PictureMask, whitePixels } from '../../../image/picture-mask.js'
import type { Pixels } from '../../../image/pixels.js'
import { cutOut, paintMasks, unionOf } from '../../../segmentation/paint.js'
import type { Settings } from '../../../settings/settings.js'
import { readNpy, writeNpy } from '../../../weights/npy.js'
import type { EncodedPicture } from '../../segment/encoded-picture.js'
import type { Segmenter } from '../../segment/segmenter.js'

/** A picture with its pixels, encoded now or before. */
export interface OpenedPicture {
  readonly pixels: Pixels
  readonly encoded: EncodedPicture
}

/**
 * Opens a picture for prompts.
 * @param options `embedding`: a .npy file of what it was encoded as, in place of encoding it
 * @throws BlvitError as `Segmenter.encode`; `BAD_DATA` for a file that holds no embedding of this model
 */
export async function openPicture(
  segmenter: Segmenter,
  image: ImageInput,
  {
    embedding,
    settings = {},
    signal,
  }: {
    readonly embedding?: string | undefined
    readonly settings?: Settings
    readonly signal?: AbortSignal | undefined
  },
): Promise<OpenedPicture> {
  const pixels = await decodeImage(image, { signal })
  if (embedding === undefined)
    return { pixels, encoded: await segmenter.encode(pixels, { ...settings, signal }) }
  const { shape, values } = readNpy(await readBytes(embedding), embedding)
  const expected = segmenter.embeddingShape
  // NumPy's users keep the batch of one
  if (
    [shape, shape.slice(1)].every((sides) => sides.join() !== expected.join()) ||
    (shape.length > 3 && shape[0] !== 1)
  ) {
    throw new BlvitError(
      'BAD_DATA',
      `${embedding} is ${shape.join(' × ')}; embeddings of ${segmenter.name} are ${expected.join(' × ')}. Encode the picture again.`,
    )
  }
  return { pixels, encoded: segmenter.fromEmbedding({ embedding: values, picture: pixels }) }
}

async function readBytes(path: string): Promise<Uint8Array> {
  return await readFile(path).catch((cause: unknown) => {
    throw new BlvitError('NOT_FOUND', `${path} can't be read: ${fileReason(cause)}.`, { path }, { cause })
  })
}

/** A mask that was drawn or written as a picture: white is meant. @throws BlvitError as decoding */
export async function readMask(path: string, signal?: AbortSignal): Promise<PictureMask> {
  return whitePixels(await decodeImage(path, { signal }))
}

/** Keeps what a picture was encoded as, as NumPy reads it. @throws BlvitError `WRITE_FAILED` */
export async function writeEmbedding(
  path: string,
  encoded: EncodedPicture,
  shape: readonly number[],
): Promise<void> {
  await writeWholeFile(path, writeNpy({ shape, values: encoded.embedding }))
}

/** White where a mask means something, black elsewhere. @throws BlvitError `WRITE_FAILED` */
export async function writeMask(path: string, { height, width, values }: PictureMask): Promise<void> {
  const grey = values.map((value) => (value === 0 ? 0 : 255))
  await writeWholeFile(path, await encodeRawPng({ height, width, channels: 1, values: grey }))
}

/** What the masks mean, on a transparent background. @throws BlvitError `WRITE_FAILED` */
export async function writeCutout(
  path: string,
  pixels: Pixels,
  masks: readonly PictureMask[],
): Promise<void> {
  const { height, width } = pixels
  const values = cutOut(pixels, unionOf(masks, pixels))
  await writeWholeFile(path, await encodeRawPng({ height, width, channels: 4, values }))
}

/** Masks in colours; over the picture if it is given. @throws BlvitError `WRITE_FAILED` */
export async function writeColoured(
  path: string,
  masks: readonly PictureMask[],
  {
    size,
    behind,
  }: { readonly size: { height: number; width: number }; readonly behind?: Pixels | undefined },
): Promise<void> {
  await writeWholeFile(path, await encodeRawPng({ ...paintMasks(masks, size, behind), channels: 3 }))
}
