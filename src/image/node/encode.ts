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
