import { BlvitError } from '../base/blvit-error.js'
import type { PictureMask } from '../image/picture-mask.js'

/**
 * A mask as COCO writes it: lengths of runs down the columns, left to right, of pixels that are not meant and pixels that are,
 * in turn; the first run is of those that are not and may be 0.
 */
export interface Rle {
  /** height and width, in pixels */
  readonly size: readonly [height: number, width: number]
  /** their sum is height · width */
  readonly counts: readonly number[]
}

/** Left, top, width and height in pixels. */
export type BoxXywh = readonly [x: number, y: number, width: number, height: number]

/** The runs of a mask. */
export function encodeRle({ height, width, values }: PictureMask): Rle {
  const counts: number[] = []
  let meant = 0
  let length = 0
  for (let x = 0; x < width; x++) {
    for (let at = x; at < height * width; at += width) {
      const next = values[at] === 0 ? 0 : 1
      if (next === meant) length++
      else {
        counts.push(length)
        meant = next
        length = 1
      }
    }
  }
  counts.push(length)
  return { size: [height, width], counts }
}

/** The mask of some runs, its pixels 0 and 1. */
export function decodeRle({ size: [height, width], counts }: Rle): PictureMask {
  const values = new Uint8Array(height * width)
  let place = 0
  counts.forEach((length, run) => {
    const end = place + length
    if (run % 2 === 0) place = end
    for (; place < end; place++) values[(place % height) * width + Math.floor(place / height)] = 1
  })
  return { height, width, values }
}

/** Pixels that are meant. */
export function rleArea({ counts }: Rle): number {
  return counts.reduce((sum, length, run) => (run % 2 === 1 ? sum + length : sum), 0)
}

/** The smallest box around all that is meant; all 0 where nothing is. */
export function rleBox({ size: [height, width], counts }: Rle): BoxXywh {
  let [left, top, right, bottom] = [width, height, -1, -1]
  let place = 0
  counts.forEach((length, run) => {
    const first = place
    place += length
    if (run % 2 === 0 || length === 0) return
    const last = place - 1
    const [from, to] = [Math.floor(first / height), Math.floor(last / height)]
    left = Math.min(left, from)
    right = Math.max(right, to)
    // a run that goes on in the next column touches bottom and top
    top = Math.min(top, from < to ? 0 : first % height)
    bottom = Math.max(bottom, from < to ? height - 1 : last % height)
  })
  return right < 0 ? [0, 0, 0, 0] : [left, top, right - left + 1, bottom - top + 1]
}

/** COCO's compressed text: each length from the third on as its difference to the last but one, in digits of 5 bits. */
export function rleText({ counts }: Rle): string {
  let text = ''
  counts.forEach((length, run) => {
    let rest = run > 2 ? length - (counts[run - 2] ?? 0) : length
    for (let more = true; more; ) {
      const digit = rest & 31
      rest >>= 5
      // the fifth bit of the last digit is the sign
      more = (digit & 16) === 0 ? rest !== 0 : rest !== -1
      text += String.fromCharCode((more ? digit | 32 : digit) + firstDigit)
    }
  })
  return text
}

const firstDigit = 48

// a length below 2³¹ has 7 digits of 5 bits
const mostDigits = 7

/**
 * Reads COCO's compressed text.
 * @throws BlvitError `BAD_DATA` for a text that is none, or lengths that don't add up to the picture
 */
export function rleFromText(text: string, size: Rle['size']): Rle {
  const counts: number[] = []
  let value = 0
  let digits = 0
  for (const character of text) {
    const digit = character.charCodeAt(0) - firstDigit
    if (digit < 0 || digit > 63 || digits === mostDigits) {
      throw badRle(`"${text.slice(0, 40)}" is no compressed run-length text`)
    }
    value |= (digit & 31) << (5 * digits)
    digits++
    if (digit & 32) continue
    if (digit & 16 && digits < mostDigits) value |= -1 << (5 * digits)
    counts.push(counts.length > 2 ? value + (counts[counts.length - 2] ?? 0) : value)
    value = 0
    digits = 0
  }
  if (digits > 0) throw badRle(`"${text.slice(0, 40)}" ends within a number`)
  return checkedRle({ size, counts })
}

/** @throws BlvitError `BAD_DATA` for lengths that are none or don't add up to the picture */
export function checkedRle(rle: Rle): Rle {
  const {
    size: [height, width],
    counts,
  } = rle
  const wrong = counts.find((length) => !Number.isSafeInteger(length) || length < 0)
  if (wrong !== undefined) throw badRle(`a run of ${wrong} pixels is impossible`)
  const sum = counts.reduce((a, b) => a + b, 0)
  if (sum !== height * width) {
    throw badRle(`runs of ${sum} pixels together don't fill a picture of ${width} × ${height}`)
  }
  return rle
}

function badRle(what: string): BlvitError {
  return new BlvitError(
    'BAD_DATA',
    `Not a run-length mask: ${what}. Expected counts as COCO's tools write them.`,
  )
}
