import type { Drawing } from '../pixels.js'
import { loadSharp } from './sharp.js'

/**
 * A drawing as the bytes of a PNG, in true colour: 256 colours would take half of the bytes, but to find them takes more than
 * a second, four times as long as all of this.
 */
export async function encodePng({ width, height, svg, pictures }: Drawing): Promise<Uint8Array> {
  const sharp = await loadSharp()
  const layers = pictures.map(({ pixels, left, top }) => ({
    input: Buffer.from(pixels.values),
    raw: { width: pixels.width, height: pixels.height, channels: 3 as const },
    left,
    top,
  }))
  return sharp({ create: { width, height, channels: 3, background: 'white' } })
    .composite([...layers, { input: Buffer.from(svg), left: 0, top: 0 }])
    .png({ compressionLevel: 6, adaptiveFiltering: true })
    .toBuffer()
}

/** Samples as they are: grey, RGB, or RGB with opacity. */
export interface RawPicture {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3 | 4
  /** `[height, width, channels]` */
  readonly values: Uint8Array
}

/** Samples as the bytes of a PNG, unchanged. */
export async function encodeRawPng({ width, height, channels, values }: RawPicture): Promise<Uint8Array> {
  const sharp = await loadSharp()
  const picture = sharp(Buffer.from(values.buffer, values.byteOffset, values.byteLength), {
    raw: { width, height, channels },
    limitInputPixels: false,
  })
  const shown = channels === 1 ? picture.toColourspace('b-w') : picture
  return shown.png({ compressionLevel: 6 }).toBuffer()
}
