import type { Drawing } from '../pixels.js'
import { loadSharp } from './sharp.js'

/** A drawing as the bytes of a PNG with a palette of 256 colours. */
export async function encodePng({ width, height, svg, pictures }: Drawing): Promise<Uint8Array> {
  const sharp = await loadSharp()
  const layers = pictures.map(({ pixels, left, top }) => ({
    input: Buffer.from(pixels.values),
    raw: { width: pixels.width, height: pixels.height, channels: 3 as const },
    left,
    top,
  }))
  return (
    sharp({ create: { width, height, channels: 3, background: 'white' } })
      .composite([...layers, { input: Buffer.from(svg), left: 0, top: 0 }])
      // a third of the size of true colour, and of one photograph nobody sees the difference
      .png({ palette: true, effort: 8, compressionLevel: 9 })
      .toBuffer()
  )
}
