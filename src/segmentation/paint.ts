import type { PictureMask } from '../image/picture-mask.js'
import type { Pixels } from '../image/pixels.js'

/** Red, green and blue, 0 to 255. */
type Colour = readonly [red: number, green: number, blue: number]

// steps of the golden angle around the wheel: neighbours in number are far apart in hue, however many there are
const goldenAngle = 137.508

/** A bright colour for each number from 0, no two alike among the first hundreds. */
function colourOf(index: number): Colour {
  const hue = (index * goldenAngle) % 360
  const channel = (offset: number) => {
    const k = (offset + hue / 30) % 12
    return Math.round(255 * (0.55 - 0.45 * Math.max(-1, Math.min(k - 3, 9 - k, 1))))
  }
  return [channel(0), channel(8), channel(4)]
}

/** Masks in colours, the first on top. @param behind what shows where none is, and by half through them; absent: black behind solid colours */
export function paintMasks(
  masks: readonly PictureMask[],
  size: { height: number; width: number },
  behind?: Pixels,
): Pixels {
  const { height, width } = size
  const values = behind ? behind.values.slice() : new Uint8Array(3 * height * width)
  const isPainted = new Uint8Array(height * width)
  masks.forEach((mask, index) => {
    const colour = colourOf(index)
    mask.values.forEach((value, at) => {
      if (value === 0 || isPainted[at]) return
      isPainted[at] = 1
      colour.forEach((part, channel) => {
        const place = 3 * at + channel
        values[place] = behind ? ((values[place] ?? 0) + part) >> 1 : part
      })
    })
  })
  return { height, width, values }
}

/** Pixels that any of some masks means. */
export function unionOf(
  masks: readonly PictureMask[],
  { height, width }: { height: number; width: number },
): PictureMask {
  const values = new Uint8Array(height * width)
  for (const mask of masks) {
    mask.values.forEach((value, at) => {
      if (value !== 0) values[at] = 1
    })
  }
  return { height, width, values }
}

/** What a mask means of a picture, transparent elsewhere. @returns `[height, width, 4]` */
export function cutOut({ values: colours }: Pixels, { values }: PictureMask): Uint8Array {
  const cut = new Uint8Array(4 * values.length)
  values.forEach((value, at) => {
    if (value === 0) return
    cut.set(colours.subarray(3 * at, 3 * at + 3), 4 * at)
    cut[4 * at + 3] = 255
  })
  return cut
}
