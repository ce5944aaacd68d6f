import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { throwIfAborted } from '../../base/blvit-error.js'
import { seededRandom } from '../../base/random.js'
import { openDataSet } from '../../data/open-data-set.js'
import { makeFolder, writeWholeFile } from '../../files/output-files.js'
import type { Size } from '../../image/crop-window.js'
import { decodeImage } from '../../image/node/decode.js'
import { encodeRawPng } from '../../image/node/encode.js'
import type { PictureMask } from '../../image/picture-mask.js'
import type { Pixels } from '../../image/pixels.js'
import { drawCrop } from '../../image/random-crop.js'
import { crop, type Region, resize } from '../../image/resize.js'
import { maskOf } from '../../segmentation/coco-form.js'
import { decodeRle, encodeRle, rleArea, rleBox, rleText } from '../../segmentation/rle.js'
import { drawScene, type Photograph, type Scene } from './scene.js'

/** References to data in COCO's form. */
interface ScenePictures {
  /** Scenes, and parts of the photographs that scenes are made of. */
  readonly train: string
  /** Photographs that no scene to learn from is made of. */
  readonly photographs: string
  /** Scenes made of those. */
  readonly scenes: string
  /** Of what they were made of. */
  readonly fingerprint: string
}

interface MakeScenesOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined
}

/** Longest side of the photographs that scenes are cut out of. */
const photographSide = 192
/** Of the pictures, in pixels: what the models of the tables see. */
const side = 96
const sceneCount = 2_000
/** Parts of each photograph to learn from. */
const partsEach = 6
const testScenes = 100
/** Every so many photographs one is held out. */
const heldOutEvery = 3
/** Another number makes other scenes. */
const seed = 18

/** @param size of the result, in pixels */
function scaledPart({ pixels, objects }: Photograph, region: Region, size: Size): Scene {
  const masks = objects.map((mask): PictureMask => {
    const values = new Uint8Array(size.width * size.height)
    for (let y = 0; y < size.height; y++) {
      const row = region.top + Math.floor(((y + 0.5) * region.height) / size.height)
      for (let x = 0; x < size.width; x++) {
        const column = region.left + Math.floor(((x + 0.5) * region.width) / size.width)
        values[y * size.width + x] = mask.values[row * mask.width + column] ?? 0
      }
    }
    return { ...size, values }
  })
  return { pixels: resize(crop(pixels, region), { ...size, filter: 'bilinear' }), objects: masks }
}

function longestTo({ width, height }: Size, longest: number): Size {
  const scale = longest / Math.max(width, height)
  return { width: Math.round(width * scale), height: Math.round(height * scale) }
}

function wholeOf({ width, height }: Pixels): Region {
  return { left: 0, top: 0, width, height }
}

/** Photographs with their objects, in the order of their file, made small. */
async function readPhotographs(data: string, signal: AbortSignal | undefined): Promise<Photograph[]> {
  const dataSet = await openDataSet(data, { labels: 'ignored' })
  const photographs: Photograph[] = []
  for await (const item of dataSet.items({ signal })) {
    if ('error' in item) throw item.error
    const pixels = await decodeImage(item.source, { signal })
    const objects = (item.objects ?? [])
      .filter(({ iscrowd }) => iscrowd !== 1)
      .map(({ segmentation, id }) => decodeRle(maskOf(segmentation, pixels, `annotation ${id}`)))
    const whole = { pixels, objects }
    photographs.push(scaledPart(whole, wholeOf(pixels), longestTo(pixels, photographSide)))
  }
  return photographs
}

/** Writes pictures in COCO's form. */
async function writeScenes(
  folder: string,
  scenes: Iterable<Scene>,
  { signal, onScene }: { signal: AbortSignal | undefined; onScene: () => void },
): Promise<void> {
  await makeFolder(folder)
  const images: object[] = []
  const annotations: object[] = []
  for (const { pixels, objects } of scenes) {
    throwIfAborted(signal)
    const id = images.length + 1
    const { width, height } = pixels
    const name = `${`${id}`.padStart(5, '0')}.png`
    await writeWholeFile(join(folder, name), await encodeRawPng({ ...pixels, channels: 3 }))
    images.push({ id, file_name: name, width, height })
    for (const mask of objects) {
      const rle = encodeRle(mask)
      const area = rleArea(rle)
      if (area === 0) continue
      annotations.push({
        ...{ id: annotations.length + 1, image_id: id, category_id: 1, area, iscrowd: 0 },
        segmentation: { size: rle.size, counts: rleText(rle) },
        bbox: rleBox(rle),
      })
    }
    onScene()
  }
  const categories = [{ id: 1, name: 'thing' }]
  await writeWholeFile(join(folder, 'instances.json'), JSON.stringify({ images, annotations, categories }))
}

function* drawnScenes(photographs: readonly Photograph[], count: number, purpose: string): Generator<Scene> {
  for (let scene = 0; scene < count; scene++)
    yield drawScene(photographs, side, seededRandom(seed, purpose, scene))
}

function* drawnParts(photographs: readonly Photograph[]): Generator<Scene> {
  for (const [place, photograph] of photographs.entries()) {
    for (let part = 0; part < partsEach; part++) {
      const random = seededRandom(seed, 'parts', place, part)
      const region = drawCrop(photograph.pixels, random, { scale: [0.25, 1] })
      yield scaledPart(photograph, region, longestTo(region, side))
    }
  }
}

/**
 * Makes pictures with masks to learn from out of few photographs with masks: parts of them, and scenes of shapes with their
 * textures and of their things on other backgrounds. Every third photograph is held out, with scenes of its own. What is there
 * already stays.
 * @param data photographs with masks, in COCO's form
 * @throws BlvitError `NOT_FOUND`, `BAD_DATA`, `WRITE_FAILED`, `ABORTED`
 */
export async function makeScenes(
  data: string,
  folder: string,
  { signal, onProgress }: MakeScenesOptions = {},
): Promise<ScenePictures> {
  const source = await openDataSet(data, { labels: 'ignored' })
  const fingerprint = `${await source.fingerprint()} ${sceneCount} ${seed}`
  const made = {
    train: join(folder, 'train'),
    photographs: join(folder, 'held-out'),
    scenes: join(folder, 'held-out-scenes'),
    fingerprint,
  }
  await makeFolder(folder)
  const seal = join(folder, 'made.txt')
  if ((await readFile(seal, 'utf8').catch(() => '')).trim() === fingerprint) return made
  // whoever is stopped in the middle of others leaves no seal
  await rm(seal, { force: true })
  const all = await readPhotographs(data, signal)
  const heldOut = all.filter((_, place) => place % heldOutEvery === 0)
  const others = all.filter((_, place) => place % heldOutEvery !== 0)
  const total = sceneCount + partsEach * others.length + heldOut.length + testScenes
  let done = 0
  const options = { signal, onScene: () => onProgress?.({ done: ++done, total }) }
  await writeScenes(made.photographs, heldOut, options)
  await writeScenes(made.scenes, drawnScenes(heldOut, testScenes, 'held out'), options)
  const train = function* () {
    yield* drawnScenes(others, sceneCount, 'scene')
    yield* drawnParts(others)
  }
  await writeScenes(made.train, train(), options)
  await writeWholeFile(seal, `${fingerprint}\n`)
  return made
}
