import {
  analyze,
  type ChosenFile,
  clearCachedModels,
  cutOut,
  decodeRle,
  type EncodedPicture,
  type EverythingProgress,
  keepModel,
  keptModel,
  listCachedModels,
  loadSegmenter,
  modelFromFiles,
  type PictureMask,
  type Pixels,
  type Prompt,
  paintMasks,
  type Rle,
  type Segmenter,
} from 'blvit/web'
import { coloursPicture, maskPicture, pngOf } from './mask-picture.js'
import type { CallContext } from './messages.js'
import { threads } from './models.js'
import { type Photo, pixelsOf } from './photos.js'

/** The Segment Anything model that the user gave. */
export interface SegmenterState {
  readonly name: string
  /** Of the encoder, with the products of attention. */
  readonly multiplyAdds: number
  /** Why it isn't kept for the next visit. */
  readonly notKept?: string | undefined
}

/** A photo that was encoded. Prompts are in the pixels of its `width` and `height`, at most {@link mostPreviewPixels} a side. */
export interface EncodedPhoto {
  readonly width: number
  readonly height: number
  readonly elapsedMs: number
  /** Of the encoder, with the products of attention. */
  readonly multiplyAdds: number
}

/** What a prompt may mean, drawn to be laid over the photo. */
export interface DrawnMask {
  readonly picture: ImageBitmap
  readonly predictedIou: number
  readonly stability: number
  /** Share of the photo, 0 … 1. */
  readonly share: number
}

/** What is found without prompts, drawn. */
export interface FoundAll {
  readonly picture: ImageBitmap
  readonly count: number
}

/** How masks of everything are looked for; defaults as in `blvit/web`. */
export interface FindOptions {
  readonly pointsPerSide: number
  readonly minIou: number
  readonly minStability: number
}

/** What is cut out: a mask of a prompt, or one of those that were found. */
export type Wanted =
  | { readonly prompt: Prompt; readonly multimask: boolean; readonly place: number }
  | { readonly found: number }

/** Masks that are only looked at have at most so many pixels a side: more would take longer than a pointer rests. */
const mostPreviewPixels = 1024

interface Known {
  readonly photo: Photo
  readonly pixels: Pixels
  readonly whole: EncodedPicture
  /** The same photo, smaller. */
  readonly preview: EncodedPicture
  readonly elapsedMs: number
  found?: Found | undefined
}

/** Masks of everything. */
interface Found {
  /** The smallest first. */
  readonly masks: readonly Rle[]
  /** For each pixel the smallest mask that means it, counted from 1; 0: none. */
  readonly numbers: Uint16Array
}

/** The place of models that aren't on the network; an address, because the browser keeps files by addresses. */
const place = new URL('segmenter/', location.href)

interface Opened {
  readonly segmenter: Segmenter
  readonly state: SegmenterState
}

/** WebGPU would leave a part of the windows' places to the processor, which its engine refuses. */
const engineOptions = { threads, device: 'wasm' } as const

let opened: Opened | undefined
let known: Known | undefined

async function keptAddress(): Promise<string | undefined> {
  const models = await listCachedModels()
  return models.find(({ address }) => address.startsWith(place.href))?.address
}

/** The name of the model that was given on an earlier visit, undefined if none is kept. */
export async function keptSegmenter(): Promise<string | undefined> {
  if (opened) return opened.state.name
  const address = await keptAddress()
  return address && decodeURIComponent(new URL(address).pathname.split('/').at(-2) ?? '')
}

/** Opens the model in files that the user gave, or the one that is kept. @throws BlvitError */
export async function openSegmenter(
  given: { readonly name: string; readonly files: readonly ChosenFile[] } | undefined,
  { signal }: CallContext,
): Promise<SegmenterState> {
  if (!given && opened) return opened.state
  const address = given ? new URL(`${encodeURIComponent(given.name)}/`, place).href : await keptAddress()
  const parts = given ? await modelFromFiles(given.files) : address && (await keptModel(address))
  if (!parts || !address) throw new Error('The model isn’t kept any more: choose its folder again.')
  const name = given?.name ?? decodeURIComponent(new URL(address).pathname.split('/').at(-2) ?? '')
  const segmenter = await loadSegmenter({ ...parts, name }, { ...engineOptions, signal })
  const multiplyAdds = analyze(segmenter.architecture).multiplyAdds.full
  // kept only once it is known to be a model
  let notKept: string | undefined
  if (given) {
    await clearCachedModels(place.href)
    notKept = await keepModel(address, parts)
  }
  await opened?.segmenter.dispose()
  known = undefined
  opened = { segmenter, state: { name, multiplyAdds, notKept } }
  return opened.state
}

function previewOf(segmenter: Segmenter, whole: EncodedPicture): EncodedPicture {
  const { height, width } = whole.size
  const scale = Math.min(1, mostPreviewPixels / Math.max(height, width))
  if (scale === 1) return whole
  const side = (pixels: number) => Math.max(1, Math.round(scale * pixels))
  const picture = { height: side(height), width: side(width) }
  return segmenter.fromEmbedding({ embedding: whole.embedding, picture })
}

/** Encodes a photo, once. @throws BlvitError */
export async function encodePhoto(photo: Photo, context: CallContext): Promise<EncodedPhoto> {
  const { multiplyAdds } = await openSegmenter(undefined, context)
  const by = opened
  if (!by) throw new Error('There is no model.')
  if (known?.photo.id !== photo.id) {
    known = undefined
    const pixels = await pixelsOf(photo)
    const began = performance.now()
    const whole = await by.segmenter.encode(pixels, { signal: context.signal })
    const elapsedMs = performance.now() - began
    if (opened !== by) throw new Error('Another model was chosen meanwhile: choose the photo again.')
    known = { photo, pixels, whole, preview: previewOf(by.segmenter, whole), elapsedMs }
  }
  const { preview, elapsedMs } = known
  return { ...preview.size, elapsedMs, multiplyAdds }
}

function encoded(id: number): Known {
  if (known?.photo.id === id) return known
  throw new Error('This photo isn’t encoded any more: choose it again.')
}

/** The masks that a prompt may mean, the best first. */
export async function predict(
  {
    photo,
    prompt,
    multimask,
  }: { readonly photo: number; readonly prompt: Prompt; readonly multimask: boolean },
  { signal }: CallContext,
): Promise<DrawnMask[]> {
  const { preview } = encoded(photo)
  const { height, width } = preview.size
  const masks = await preview.predict(prompt, { multimask, signal })
  return masks.map(({ mask, area, predictedIou, stability }) => ({
    ...{ predictedIou, stability, share: area / (height * width) },
    picture: maskPicture(mask),
  }))
}

/** A prompt in the pixels of the photo itself. */
function enlarged({ points, box }: Prompt, { preview, whole }: Known): Prompt {
  const across = whole.size.width / preview.size.width
  const down = whole.size.height / preview.size.height
  return {
    points: points?.map(({ x, y, label }) => ({ x: x * across, y: y * down, label })),
    box: box && [
      box[0] * across,
      box[1] * down,
      Math.min(whole.size.width, box[2] * across),
      Math.min(whole.size.height, box[3] * down),
    ],
  }
}

/** A mask of the preview at the photo's own size. */
function enlargedMask(mask: PictureMask, { height, width }: Pixels): PictureMask {
  if (mask.height === height && mask.width === width) return mask
  const values = new Uint8Array(height * width)
  for (let row = 0; row < height; row++) {
    const from = Math.floor(((row + 0.5) * mask.height) / height) * mask.width
    for (let column = 0; column < width; column++) {
      values[row * width + column] =
        mask.values[from + Math.floor(((column + 0.5) * mask.width) / width)] ?? 0
    }
  }
  return { height, width, values }
}

async function wantedMask(wanted: Wanted, of: Known, signal: AbortSignal): Promise<PictureMask> {
  if ('found' in wanted) {
    const rle = of.found?.masks[wanted.found]
    if (!rle) throw new Error('This mask isn’t there any more: look for everything again.')
    return enlargedMask(decodeRle(rle), of.pixels)
  }
  const { multimask, prompt } = wanted
  const masks = await of.whole.predict(enlarged(prompt, of), { multimask, signal })
  const { mask } = masks[wanted.place] ?? {}
  if (!mask) throw new Error('There is no such mask.')
  return mask
}

/** What a mask means of a photo, of the photo's own size, transparent around it. */
export async function cutOutMask(
  { photo, wanted }: { readonly photo: number; readonly wanted: Wanted },
  { signal }: CallContext,
): Promise<Blob> {
  const of = encoded(photo)
  return pngOf(cutOut(of.pixels, await wantedMask(wanted, of, signal)), of.pixels)
}

/** Masks of all that is in a photo. */
export async function findAll(
  { photo, options }: { readonly photo: number; readonly options: FindOptions },
  { signal, onProgress }: CallContext,
): Promise<FoundAll> {
  const of = encoded(photo)
  const masks = await of.preview.everything({
    ...options,
    signal,
    onProgress: (progress: EverythingProgress) => onProgress(progress),
  })
  // the smaller lie on top
  const smallestFirst = masks.toSorted((a, b) => a.area - b.area).map(({ mask }) => mask)
  of.found = { masks: smallestFirst, numbers: numbersOf(smallestFirst, of.preview.size) }
  return {
    picture: coloursPicture(paintMasks(smallestFirst.map(decodeRle), of.preview.size)),
    count: smallestFirst.length,
  }
}

function numbersOf(masks: readonly Rle[], { height, width }: EncodedPicture['size']): Uint16Array {
  const numbers = new Uint16Array(height * width)
  for (const [index, rle] of masks.entries()) {
    decodeRle(rle).values.forEach((value, at) => {
      if (value !== 0 && numbers[at] === 0) numbers[at] = index + 1
    })
  }
  return numbers
}

/** The smallest mask that was found at a place of the photo. */
export async function foundAt({
  photo,
  x,
  y,
}: {
  readonly photo: number
  readonly x: number
  readonly y: number
}): Promise<{ readonly found: number; readonly picture: ImageBitmap; readonly share: number } | undefined> {
  const { found, preview } = encoded(photo)
  const { width, height } = preview.size
  const number = found?.numbers[Math.floor(y) * width + Math.floor(x)] ?? 0
  const rle = found?.masks[number - 1]
  if (!rle) return undefined
  const mask = decodeRle(rle)
  const area = mask.values.reduce((sum, value) => sum + value, 0)
  return { found: number - 1, picture: maskPicture(mask), share: area / (width * height) }
}
