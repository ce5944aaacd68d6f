import type { Photo } from '../worker/photos.js'

/** A photo that somebody chose. */
export interface ChosenPhoto extends Photo {
  /** Shows it: `blob:…`, for as long as the page lives. */
  readonly url: string
}

let last = 0

export function chosenPhoto(content: Blob, name: string): ChosenPhoto {
  last += 1
  return { id: last, name, content, url: URL.createObjectURL(content) }
}

/** Frees what {@link chosenPhoto} holds. */
export function forgetPhoto({ url }: ChosenPhoto): void {
  URL.revokeObjectURL(url)
}
