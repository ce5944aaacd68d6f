import type { PictureMask, Pixels } from 'blvit/web'

/** Red, green, blue and opacity, 0 … 255. */
type Paint = readonly [red: number, green: number, blue: number, opacity: number]

const inside: Paint = [20, 110, 255, 110]
const edge: Paint = [255, 255, 255, 255]

/** A mask to be laid over its photo: tinted where it means something, its outermost pixels white. */
export function maskPicture({ height, width, values }: PictureMask): ImageBitmap {
  const image = new ImageData(width, height)
  for (let row = 0, at = 0; row < height; row++) {
    for (let column = 0; column < width; column++, at++) {
      if (values[at] === 0) continue
      const isEdge =
        values[at - 1] === 0 || values[at + 1] === 0 || values[at - width] === 0 || values[at + width] === 0
      image.data.set(isEdge ? edge : inside, 4 * at)
    }
  }
  return bitmapOf(image)
}

/** Colours on black to be laid over a photo: the black is let through. */
export function coloursPicture({ height, width, values }: Pixels): ImageBitmap {
  const image = new ImageData(width, height)
  for (let from = 0, to = 0; from < values.length; from += 3, to += 4) {
    const [red = 0, green = 0, blue = 0] = values.subarray(from, from + 3)
    if (red + green + blue > 0) image.data.set([red, green, blue, 150], to)
  }
  return bitmapOf(image)
}

function canvasOf(image: ImageData): OffscreenCanvas {
  const canvas = new OffscreenCanvas(image.width, image.height)
  canvas.getContext('2d')?.putImageData(image, 0, 0)
  return canvas
}

function bitmapOf(image: ImageData): ImageBitmap {
  return canvasOf(image).transferToImageBitmap()
}

/** @param rgba `[height, width, 4]` */
export function pngOf(rgba: Uint8Array, { height, width }: { height: number; width: number }): Promise<Blob> {
  return canvasOf(new ImageData(Uint8ClampedArray.from(rgba), width, height)).convertToBlob({
    type: 'image/png',
  })
}
