import type { Pixels } from '../pixels.js'
import type { PerChannel } from '../preprocessing.js'
import { affine } from './affine.js'

/** Moves rows sideways, by `factor` pixels more with each row: timm's `shear_x`. */
export function shearX(pixels: Pixels, factor: number, fill: PerChannel): Pixels {
  return affine(pixels, [1, factor, 0, 0, 1, 0], fill)
}

/** Moves columns up or down, by `factor` pixels more with each column: timm's `shear_y`. */
export function shearY(pixels: Pixels, factor: number, fill: PerChannel): Pixels {
  return affine(pixels, [1, 0, 0, factor, 1, 0], fill)
}

/** Moves the picture to the left by a share of its width: timm's `translate_x_rel`. */
export function translateX(pixels: Pixels, share: number, fill: PerChannel): Pixels {
  return affine(pixels, [1, 0, share * pixels.width, 0, 1, 0], fill)
}

/** Moves the picture upward by a share of its height: timm's `translate_y_rel`. */
export function translateY(pixels: Pixels, share: number, fill: PerChannel): Pixels {
  return affine(pixels, [1, 0, 0, 0, 1, share * pixels.height], fill)
}

// Pillow rounds the rotation's matrix so, and a quarter turn becomes one of whole numbers.
const matrixPlaces = 15

/** Turns the picture around its middle, counter-clockwise: Pillow's `Image.rotate`. */
export function rotate(pixels: Pixels, degrees: number, fill: PerChannel): Pixels {
  const turn = degrees % 360
  const angle = -((turn < 0 ? turn + 360 : turn) * (Math.PI / 180))
  const cosine = Number(Math.cos(angle).toFixed(matrixPlaces))
  const sine = Number(Math.sin(angle).toFixed(matrixPlaces))
  const middle = { x: pixels.width / 2, y: pixels.height / 2 }
  const c = cosine * -middle.x + sine * -middle.y + middle.x
  const f = -sine * -middle.x + cosine * -middle.y + middle.y
  return affine(pixels, [cosine, sine, c, -sine, cosine, f], fill)
}
