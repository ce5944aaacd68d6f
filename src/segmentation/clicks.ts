import { seededRandom } from '../base/random.js'
import type { PictureMask } from '../image/picture-mask.js'
import { squaredDistances } from './distance-transform.js'

/** A click in pixels of the picture: on the object (1) or on what is not part of it (0). */
export interface Click {
  readonly x: number
  readonly y: number
  readonly label: 0 | 1
}

/**
 * Clicks drawn evenly from the pixels of a mask, each pixel once; where there are fewer pixels than clicks, further ones are
 * drawn again. The same seed and object give the same clicks everywhere.
 * @param options `object`: the annotation's id @returns none for an empty mask
 */
export function uniformClicks(
  mask: PictureMask,
  {
    count,
    seed,
    object,
  }: { readonly count: number; readonly seed: number; readonly object: number | string },
): Click[] {
  const random = seededRandom(seed, 'clicks', object)
  const pixels: number[] = []
  mask.values.forEach((value, at) => {
    if (value !== 0) pixels.push(at)
  })
  if (pixels.length === 0) return []
  return Array.from({ length: count }, (_, drawn) => {
    const taken = drawn % pixels.length
    const pick = taken + Math.floor(random() * (pixels.length - taken))
    const at = pixels[pick] ?? 0
    pixels[pick] = pixels[taken] ?? 0
    pixels[taken] = at
    return { x: at % mask.width, y: Math.floor(at / mask.width), label: 1 }
  })
}

/** The pixel deepest inside a mask, the first of equals in rows. */
function deepest(mask: PictureMask): { readonly at: number; readonly depth: number } {
  let [at, depth] = [0, 0]
  squaredDistances(mask).forEach((distance, place) => {
    if (distance > depth) [at, depth] = [place, distance]
  })
  return { at, depth }
}

/** What is in one mask and not in the other. */
function difference(mask: PictureMask, without: PictureMask): PictureMask {
  return { ...mask, values: mask.values.map((value, at) => Number(value !== 0 && without.values[at] === 0)) }
}

/**
 * Where a patient user would click next (segment-anything's evaluation): in the middle of the object at first, then in the
 * middle of the deeper of the two errors, what is missing (label 1) or too much (label 0).
 * @param answer the mask so far @returns undefined where nothing is wrong any more
 */
export function centreClick(object: PictureMask, answer?: PictureMask): Click | undefined {
  const missing = deepest(answer ? difference(object, answer) : object)
  const surplus = answer ? deepest(difference(answer, object)) : { at: 0, depth: 0 }
  const isMissing = missing.depth > surplus.depth
  const { at, depth } = isMissing ? missing : surplus
  if (depth === 0) return undefined
  return { x: at % object.width, y: Math.floor(at / object.width), label: isMissing ? 1 : 0 }
}
