import { type ChosenPhoto, chosenPhoto, forgetPhoto } from '../photo/chosen-photo.js'
import type { IncomingFile } from '../photo/incoming-files.js'

/** A class that is being taught. */
export interface TaughtClass {
  readonly id: number
  readonly label: string
  readonly photos: readonly ChosenPhoto[]
}

let last = 0

export function newClass(label: string): TaughtClass {
  last += 1
  return { id: last, label, photos: [] }
}

/** Puts files into the class that they were dropped on; folders are classes by their names. */
export function withFiles(
  classes: readonly TaughtClass[],
  files: readonly IncomingFile[],
  target: number | undefined,
): readonly TaughtClass[] {
  const all = [...classes]
  const add = (at: number, file: File) => {
    const known = all[at]
    if (known) all[at] = { ...known, photos: [...known.photos, chosenPhoto(file, file.name)] }
  }
  for (const { file, folder } of files) {
    const own =
      folder === undefined
        ? all.findIndex(({ id }) => id === target)
        : all.findIndex(({ label }) => label === folder)
    if (own >= 0) {
      add(own, file)
      continue
    }
    // an empty class with the name that the page gave it is taken for the first folder
    const free =
      folder === undefined
        ? Math.max(
            0,
            all.findIndex(({ photos }) => photos.length === 0),
          )
        : all.findIndex(({ photos, label }) => photos.length === 0 && /^class \d+$/.test(label))
    if (free >= 0 && folder !== undefined) all[free] = { ...newClass(folder), id: all[free]?.id ?? 0 }
    else if (free < 0) all.push(newClass(folder ?? `class ${all.length + 1}`))
    add(free < 0 ? all.length - 1 : free, file)
  }
  return all
}

export function withoutPhoto(classes: readonly TaughtClass[], photo: ChosenPhoto): readonly TaughtClass[] {
  forgetPhoto(photo)
  return classes.map((each) => ({ ...each, photos: each.photos.filter(({ id }) => id !== photo.id) }))
}
