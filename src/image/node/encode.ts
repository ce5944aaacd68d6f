import type { Drawing } from '../pixels.js'
import { loadSharp } from './sharp.js'

/**
 * A drawing as the bytes of a PNG.
 * @param options `palette`: 256 colours, a third of the size of true colour, and of one photograph nobody sees the
 *   difference. Default true
 */
export async function encodePng(
  { width, height, svg, pictures }: Drawing,
  { palette = true }: { readonly palette?: boolean } = {},
): Promise<Uint8Array> {
  const sharp = await loadSharp()
  const layers = pictures.map(({ pixels, left, top }) => ({
    input: Buffer.from(pixels.values),
    raw: { width: pixels.width, height: pixels.height, channels: 3 as const },
    left,
    top,
  }))
  return sharp({ create: { width, height, channels: 3, background: 'white' } })
    .composite([...layers, { input: Buffer.from(svg), left: 0, top: 0 }])
    .png({ palette, effort: 8, compressionLevel: 9 })
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
