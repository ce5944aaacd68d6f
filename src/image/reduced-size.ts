import type { Size } from './crop-window.js'

// A JPEG decoder gives 1/8, 1/4 or 1/2 of the size for less work than the whole (its inverse DCT stops at the low
// frequencies). sharp makes use of that only where something is left to scale afterwards: one step beyond each, and a side
// rounded up would miss it.
const divisors = [9, 5, 3]

/**
 * The size at which a JPEG may be decoded when less than all of it is needed.
 * @param atLeast no side of the result is smaller
 * @returns a ninth, a fifth or a third of the picture; undefined when even a third is too small
 */
export function reducedSize(picture: Size, atLeast: Size): Size | undefined {
  for (const divisor of divisors) {
    const height = Math.floor(picture.height / divisor)
    const width = Math.floor(picture.width / divisor)
    if (height >= atLeast.height && width >= atLeast.width) return { height, width }
  }
  return undefined
}
