import {
  type LayerProgress,
  type Taught,
  type TeachProgress,
  type TrainingEpoch,
  teach,
  teachLayers,
} from 'blvit/web'
import { zipSync } from 'fflate'
import type { CallContext } from './messages.js'
import { askModel, keepTaught, openModel } from './models.js'

/** A class as the page sends it: the content of a photo comes once. */
export interface ClassPhotos {
  readonly label: string
  readonly photos: readonly { readonly id: number; readonly content?: Blob | undefined }[]
}

/** What came of a photo: what a head said of it that hadn't learned from it, or why it was left out. */
export interface PhotoVerdict {
  readonly photo: number
  readonly answer?: string | undefined
  readonly failure?: string | undefined
}

/** What was taught. */
export interface Lesson {
  readonly labels: readonly string[]
  /** How often it, or heads of fewer photos in its place, were right on photos that they hadn't learned from. */
  readonly accuracy: Taught['accuracy']
  readonly verdicts: readonly PhotoVerdict[]
  readonly elapsedMs: number
}

/** How far a teaching has come. */
export type TeachingProgress = TeachProgress | LayerProgress

/** What came of a training of all layers. */
export interface Training {
  /** The model in the place of the head's; undefined: no epoch was better than the head, which stays. */
  readonly lesson: Lesson | undefined
  /** How often the head that it began with was right on the same photos. */
  readonly headAccuracy: Taught['accuracy']
  readonly epochs: readonly TrainingEpoch[]
  readonly bestEpoch: number
}

/** Photos by their ids, the same object each time: what was seen of it is kept by it. */
const contents = new Map<number, Blob>()
let taught: Taught | undefined

/** Keeps the photos that came with the question, forgets those that aren't in it. */
function examplesOf(classes: readonly ClassPhotos[]) {
  for (const { id, content } of classes.flatMap(({ photos }) => photos)) {
    if (content && !contents.has(id)) contents.set(id, content)
  }
  const used = new Set(classes.flatMap(({ photos }) => photos.map(({ id }) => id)))
  for (const id of contents.keys()) if (!used.has(id)) contents.delete(id)
  return classes.map(({ label, photos }) => ({
    label,
    pictures: photos.flatMap(({ id }) => contents.get(id) ?? []),
  }))
}

/** Puts what was taught in the place of what was taught before. */
async function keep(made: Taught, classes: readonly ClassPhotos[], began: number): Promise<Lesson> {
  taught = made
  await keepTaught(made.model)
  const photosOf = new Map(classes.map(({ label, photos }) => [label, photos]))
  const verdicts = made.pictures.flatMap(({ label, index, answer, failure }) => {
    const photo = photosOf.get(label)?.[index]?.id
    return photo === undefined ? [] : [{ photo, answer, failure }]
  })
  const elapsedMs = performance.now() - began
  return { labels: made.model.labels, accuracy: made.accuracy, verdicts, elapsedMs }
}

/** Teaches the plain model new classes: a head. */
export async function learn(
  classes: readonly ClassPhotos[],
  { signal, onProgress }: CallContext,
): Promise<Lesson> {
  const examples = examplesOf(classes)
  const model = await openModel('vit-tiny', { signal, onProgress })
  const began = performance.now()
  const made = await teach(model, examples, { signal, onProgress: (teaching) => onProgress({ teaching }) })
  return keep(made, classes, began)
}

let stopping = new AbortController()

/** Has all layers of the plain model learn the classes that it was taught a head for. */
export async function train(classes: readonly ClassPhotos[], context: CallContext): Promise<Training> {
  const examples = examplesOf(classes)
  const { signal, onProgress } = context
  stopping = new AbortController()
  const { signal: stop } = stopping
  return askModel('vit-tiny', context, async (model) => {
    const began = performance.now()
    const made = await teachLayers(model, examples, {
      ...{ signal, stop },
      onProgress: (teaching) => onProgress({ teaching }),
    })
    const { headAccuracy, epochs, bestEpoch } = made
    if (bestEpoch > 0) return { lesson: await keep(made, classes, began), headAccuracy, epochs, bestEpoch }
    // the head that is there has learned from all photos, this one from a part of them
    await made.model.dispose()
    return { lesson: undefined, headAccuracy, epochs, bestEpoch }
  })
}

/** Ends the training that goes on: what was best so far comes out. */
export async function stopTraining(): Promise<void> {
  stopping.abort()
}

/** The folder of what was taught, packed: `blvit classify --model` reads what is unpacked. */
export async function download(folder: string): Promise<Blob> {
  if (!taught) throw new Error('Nothing has been taught yet.')
  const files = Object.entries(await taught.contents()).map(
    ([name, content]) => [`${folder}/${name}`, content] as const,
  )
  // weights are noise: packing them takes seconds and saves a tenth
  return new Blob([new Uint8Array(zipSync(Object.fromEntries(files), { level: 0 }))], {
    type: 'application/zip',
  })
}
