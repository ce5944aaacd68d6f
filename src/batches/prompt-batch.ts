import { defined } from '../base/assert.js'
import type { Random } from '../base/random.js'
import { clicksPerObject, type MarkedObjects, type MaskQuestions } from './marked-objects.js'

/** Prompts for the pictures of a batch, and what is to be answered; those of a picture stand together. */
export interface PromptBatch {
  /** Points and corners of each prompt. */
  readonly points: number
  /** (x, y) in pixels of the frame. `[prompts, points, 2]` */
  readonly coordinates: Float32Array
  /** 1 on the object, 0 beside it, 2 and 3 corners of a box, −1 none. `[prompts, points]` */
  readonly labels: Float32Array
  /** `[prompts, maskRows · maskColumns]` */
  readonly masks: Float32Array
  /** 1 where several objects may be meant, so that the best of several masks counts, 0 where one is. `[prompts]` */
  readonly ambiguous: Float32Array
}

/** How often a batch is asked by several clicks; else each prompt is a click or a box, equally often. */
const shareOfClicks = 0.25

/** Points of a prompt that is a click, with the point that is none which stands beside it, or a box. */
export const usualPoints = 2

const noPoint = -1
const corners = [2, 3] as const

/**
 * Asks for objects as a user does at first, by a click or a box, or later, by several clicks. All prompts of a batch have
 * equally many points, and no more than a model is asked with later.
 */
export function promptBatch(
  pictures: readonly MarkedObjects[],
  { prompts, maskRows, maskColumns }: MaskQuestions,
  random: Random,
): PromptBatch {
  const all = pictures.length * prompts
  const pixels = maskRows * maskColumns
  const bySeveral = random() < shareOfClicks
  const points = bySeveral ? clicksPerObject + 1 : usualPoints
  const coordinates = new Float32Array(all * points * 2)
  const labels = new Float32Array(all * points).fill(noPoint)
  const masks = new Float32Array(all * pixels)
  pictures.forEach((picture, at) => {
    masks.set(picture.masks, at * prompts * pixels)
    for (let prompt = 0; prompt < prompts; prompt++) {
      const place = (at * prompts + prompt) * points
      const put = (point: number, x: number, y: number, label: number) => {
        coordinates.set([x, y], 2 * (place + point))
        labels[place + point] = label
      }
      const number = (values: Float32Array, index: number) => defined(values[index], 'a number of a prompt')
      if (!bySeveral && random() < 0.5) {
        corners.forEach((label, corner) => {
          const from = 4 * prompt + 2 * corner
          put(corner, number(picture.boxes, from), number(picture.boxes, from + 1), label)
        })
        continue
      }
      for (let click = 0; click < (bySeveral ? clicksPerObject : 1); click++) {
        const from = 3 * (prompt * clicksPerObject + click)
        const [x, y, label] = picture.clicks.subarray(from, from + 3)
        put(click, defined(x, 'x'), defined(y, 'y'), defined(label, 'a label'))
      }
    }
  })
  const ambiguous = new Float32Array(all).fill(bySeveral ? 0 : 1)
  return { points, coordinates, labels, masks, ambiguous }
}
