import { cropWindow } from './crop-window.js'
import type { Pixels } from './pixels.js'
import type { Preprocessing } from './preprocessing.js'

/** Something that is meant of a picture, pixel by pixel: rows top to bottom, any number but 0 for pixels that are meant. */
export interface PictureMask {
  readonly height: number
  readonly width: number
  /** `[height, width]`, row-major */
  readonly values: Uint8Array
}

/** What is white of a picture, as masks are drawn: pixels of which any colour is at least 128. */
export function whitePixels({ height, width, values }: Pixels): PictureMask {
  const bright = (at: number) => (values[at] ?? 0) >= 128
  const white = Uint8Array.from({ length: height * width }, (_, pixel) =>
    Number(bright(3 * pixel) || bright(3 * pixel + 1) || bright(3 * pixel + 2)),
  )
  return { height, width, values: white }
}

/**
 * A mask of a picture's size as the model sees that picture: resized and cropped likewise, by the nearest neighbour
 * (Pillow's, the pixel in which the middle of the new one falls). Borders that the model's input adds are not meant.
 */
export function maskAtInput(mask: PictureMask, preprocessing: Preprocessing): PictureMask {
  const { height, width } = preprocessing
  const { resized, top, left } = cropWindow(mask, preprocessing)
  const sources = (length: number, offset: number, from: number, to: number) =>
    Array.from({ length }, (_, at) => {
      const place = at + offset
      return place < 0 || place >= to
        ? undefined
        : Math.min(from - 1, Math.floor(((place + 0.5) * from) / to))
    })
  const columns = sources(width, left, mask.width, resized.width)
  const rows = sources(height, top, mask.height, resized.height)
  const values = Uint8Array.from(
    rows.flatMap((row) =>
      columns.map((column) =>
        row === undefined || column === undefined ? 0 : (mask.values[row * mask.width + column] ?? 0),
      ),
    ),
  )
  return { height, width, values }
}
