import type { Size } from '../image/crop-window.js'
import type { PictureMask } from '../image/picture-mask.js'
import { type LogitsScale, mixColumns, mixRows } from './logits-scale.js'
import { openBands } from './open-spans.js'

/** Left, top, right and bottom, in pixels. */
export type BoxXyxy = readonly [x0: number, y0: number, x1: number, y1: number]

/** A mask at the picture's size, out of logits of a smaller one. */
export interface RestoredMask {
  /** its pixels 0 and 1 */
  readonly mask: PictureMask
  /** pixels that are meant */
  readonly area: number
  /** outermost pixels that are meant, themselves included; all 0 where none is */
  readonly box: BoxXyxy
  /**
   * How little the mask depends on the threshold: pixels above `offset` by pixels above `−offset`, 0 … 1; 0 where there are none.
   */
  readonly stability: number
}

export interface RestoreOptions {
  /** Default 1. */
  readonly stabilityOffset?: number | undefined
}

/**
 * Scales logits to the picture and means what is above 0.
 * @param logits `[rows, columns]` of size `from`
 */
export function restoreMask(
  logits: Float32Array,
  from: Size,
  scale: LogitsScale,
  { stabilityOffset = 1 }: RestoreOptions = {},
): RestoredMask {
  const { rows, columns } = scale
  const [height, width] = [rows.length, columns.length]
  const values = new Uint8Array(height * width)
  const row = new Float32Array(from.width)
  const line = new Float32Array(width)
  let [area, sure, possible] = [0, 0, 0]
  let [left, top, right, bottom] = [width, height, -1, -1]
  for (const { from: begin, to: end, spans } of openBands(logits, from, scale, stabilityOffset)) {
    for (let y = begin; y < end; y++) {
      const start = y * width
      let [first, last] = [width, -1]
      for (const span of spans) {
        if (span.isMeant) {
          values.fill(1, start + span.from, start + span.to)
          const pixels = span.to - span.from
          area += pixels
          sure += pixels
          possible += pixels
          first = Math.min(first, span.from)
          last = span.to - 1
          continue
        }
        mixRows(logits, from.width, rows, { y, ...span.source, row })
        mixColumns(row, columns, { ...span, line })
        for (let x = span.from; x < span.to; x++) {
          const logit = line[x] as number
          if (!(logit > -stabilityOffset)) continue
          possible++
          if (logit > stabilityOffset) sure++
          if (!(logit > 0)) continue
          values[start + x] = 1
          area++
          if (x < first) first = x
          last = x
        }
      }
      if (last < 0) continue
      left = Math.min(left, first)
      right = Math.max(right, last)
      top = Math.min(top, y)
      bottom = y
    }
  }
  return {
    mask: { height, width, values },
    area,
    box: area === 0 ? [0, 0, 0, 0] : [left, top, right, bottom],
    stability: possible === 0 ? 0 : sure / possible,
  }
}

/** The outermost pixels of a mask, themselves included; all 0 where none is meant. */
export function outerBox({ height, width, values }: PictureMask): BoxXyxy {
  let [left, top, right, bottom] = [width, height, -1, -1]
  values.forEach((value, at) => {
    if (value === 0) return
    const [x, y] = [at % width, Math.floor(at / width)]
    left = Math.min(left, x)
    right = Math.max(right, x)
    top = Math.min(top, y)
    bottom = y
  })
  return bottom < 0 ? [0, 0, 0, 0] : [left, top, right, bottom]
}
