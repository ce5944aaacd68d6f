import { BlvitError } from '../base/blvit-error.js'
import type { Size } from './crop-window.js'

/** The largest cameras have 100 megapixels: 300 MB as RGB. A tiny file can claim far more. */
export const mostPixels = 100_000_000

/** @throws BlvitError `BAD_IMAGE` for a picture of more pixels, whether it is a file or pixels already */
export function checkPixelCount(name: string, { width, height }: Size, maxPixels: number): void {
  // sides that are no numbers are another complaint
  if (!(width * height > maxPixels)) return
  throw new BlvitError(
    'BAD_IMAGE',
    `${name} is ${width} × ${height}, ${width * height} pixels; the limit is ${maxPixels}. ` +
      'Scale it down first, or give a higher maxPixels.',
    { name, width, height, maxPixels },
  )
}
