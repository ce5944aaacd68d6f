import { decodeImage, type Pixels } from 'blvit/web'

/** A photo of the page: its content comes with the first question about it. */
export interface Photo {
  readonly id: number
  readonly name: string
  readonly content: Blob
}

/** The newest photos, decoded: a dial that is turned asks the same one again and again. */
const decoded = new Map<number, Promise<Pixels>>()
const mostDecoded = 2

/** Its pixels, decoded once. @throws BlvitError `BAD_IMAGE` */
export async function pixelsOf({ id, content }: Photo): Promise<Pixels> {
  const known = decoded.get(id)
  if (known) return known
  const decoding = decodeImage(content)
  decoded.set(id, decoding)
  decoding.catch(() => decoded.delete(id))
  for (const old of decoded.keys()) if (decoded.size > mostDecoded) decoded.delete(old)
  return decoding
}
