import { type Taught, teach } from 'blvit/web'
import { zipSync } from 'fflate'
import type { CallContext } from './messages.js'
import { keepTaught, openModel } from './models.js'

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
  /** How often heads were right on photos that they hadn't learned from. */
  readonly accuracy: Taught['accuracy']
  readonly verdicts: readonly PhotoVerdict[]
  readonly elapsedMs: number
}

/** Photos by their ids, the same object each time: what was seen of it is kept by it. */
const contents = new Map<number, Blob>()
let taught: Taught | undefined

/** Teaches the plain model new classes. */
export async function learn(
  classes: readonly ClassPhotos[],
  { signal, onProgress }: CallContext,
): Promise<Lesson> {
  for (const { id, content } of classes.flatMap(({ photos }) => photos)) {
    if (content && !contents.has(id)) contents.set(id, content)
  }
  const used = new Set(classes.flatMap(({ photos }) => photos.map(({ id }) => id)))
  for (const id of contents.keys()) if (!used.has(id)) contents.delete(id)
  const model = await openModel('vit-tiny', { signal, onProgress })
  const began = performance.now()
  const examples = classes.map(({ label, photos }) => ({
    label,
    pictures: photos.flatMap(({ id }) => contents.get(id) ?? []),
  }))
  taught = await teach(model, examples, { signal, onProgress: (teaching) => onProgress({ teaching }) })
  await keepTaught(taught.model)
  const idOf = new Map(classes.map(({ label, photos }) => [label, photos]))
  const verdicts = taught.pictures.flatMap(({ label, index, answer, failure }) => {
    const photo = idOf.get(label)?.[index]?.id
    return photo === undefined ? [] : [{ photo, answer, failure }]
  })
  return {
    labels: taught.model.labels,
    accuracy: taught.accuracy,
    verdicts,
    elapsedMs: performance.now() - began,
  }
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
