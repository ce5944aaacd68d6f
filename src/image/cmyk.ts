import type { Steps } from './steps.js'

// 0.1 ms
const pixelsPerStep = 10_000

/**
 * CMYK to RGB as Pillow's `convert('RGB')`: what ink leaves of the paper's white, without any profile.
 * @param cmyk `[height, width, 4]`, 255 = full ink
 * @returns `[height, width, 3]`
 */
export function* rgbFromCmyk(cmyk: Uint8Array): Steps<Uint8Array> {
  const pixels = cmyk.length / 4
  const rgb = new Uint8Array(pixels * 3)
  for (let first = 0; first < pixels; first += pixelsPerStep) {
    writeRgb(cmyk.subarray(first * 4, (first + pixelsPerStep) * 4), rgb.subarray(first * 3))
    yield
  }
  return rgb
}

function writeRgb(cmyk: Uint8Array, rgb: Uint8Array): void {
  for (let from = 0, to = 0; from < cmyk.length; from += 4, to += 3) {
    const paper = 255 - (cmyk[from + 3] as number)
    rgb[to] = paper - productOver255(cmyk[from] as number, paper)
    rgb[to + 1] = paper - productOver255(cmyk[from + 1] as number, paper)
    rgb[to + 2] = paper - productOver255(cmyk[from + 2] as number, paper)
  }
}

/** `a · b / 255`, rounded, in integers: Pillow's MULDIV255. */
function productOver255(a: number, b: number): number {
  const product = a * b + 128
  return ((product >> 8) + product) >> 8
}
