import { defined } from '../../base/assert.js'
import { BlvitError } from '../../base/blvit-error.js'
import type { MaskFrame } from '../../models/masks/mask-frame.js'
import { noPoint } from '../../models/masks/prompt-encoder.js'
import type { FramePrompts } from '../../segmentation/prompts.js'

/** Labels of a box's corners: upper left, lower right. */
const cornerLabels = [2, 3] as const

/** Points and corners as a decoder's graph is fed with them. */
export interface FedPoints {
  /** Points of each prompt, corners of boxes among them; may be 0. */
  readonly points: number
  /** `[count, points, 2]` */
  readonly coordinates: Float32Array
  /** `[count, points]` */
  readonly labels: Float32Array
}

function complain(text: string, fields: Readonly<Record<string, unknown>> = {}): never {
  throw new BlvitError('BAD_OPTION', text, fields)
}

function checkNumbers(what: string, values: Float32Array): void {
  const at = values.findIndex((value) => !Number.isFinite(value))
  if (at >= 0) complain(`Number ${at} of the prompts' ${what} is ${values[at]}. Give numbers.`, { what, at })
}

function checkLength(what: string, values: Float32Array, expected: number, shape: string): void {
  if (values.length === expected) return
  complain(`The prompts' ${what} are ${values.length} numbers, but ${shape} are ${expected}.`, { what })
}

function pointsOf({ count, points, labels }: FramePrompts, frame: MaskFrame): number {
  if (!points && !labels) return 0
  if (!points || !labels) complain('Points need labels, and labels points: give both.')
  const each = points.length / (2 * count)
  if (!Number.isInteger(each)) {
    complain(`${points.length} coordinates can't be shared by ${count} prompts as points of two each.`)
  }
  checkLength('labels', labels, count * each, `[${count}, ${each}]`)
  checkNumbers('points', points)
  const known = frame.takesNegativePoints ? [noPoint, 0, 1] : [noPoint, 1]
  const wrong = labels.find((label) => !known.includes(label))
  if (wrong !== undefined) {
    complain(
      wrong === 0
        ? "This model has no points outside of a thing (label 0): it doesn't know the difference. Leave them out."
        : `A point's label is ${wrong}; it can be 1 (inside), 0 (outside) or -1 (no point).`,
      { label: wrong },
    )
  }
  return each
}

/**
 * Points and corners of boxes side by side, filled up as the family does it.
 * @throws BlvitError `BAD_OPTION` for numbers that don't fit, or aren't
 */
export function fedPoints(prompts: FramePrompts, frame: MaskFrame): FedPoints {
  const { count, points, labels, boxes } = prompts
  const own = pointsOf(prompts, frame)
  if (boxes) {
    checkLength('boxes', boxes, 4 * count, `[${count}, 4]`)
    checkNumbers('boxes', boxes)
  }
  // segment-anything adds a point that is none where there are points and no box
  const filled = own + (boxes ? 2 : own > 0 ? 1 : 0)
  const each = frame.points ?? filled
  const fed = {
    points: each,
    coordinates: new Float32Array(count * each * 2).fill(frame.points === undefined ? 0 : -1),
    labels: new Float32Array(count * each).fill(noPoint),
  }
  for (let prompt = 0; prompt < count; prompt++) {
    const put = (at: number, x: number, y: number, label: number) => {
      if (at >= each) return
      const place = prompt * each + at
      fed.coordinates[2 * place] = x
      fed.coordinates[2 * place + 1] = y
      fed.labels[place] = label
    }
    const number = (values: Float32Array | undefined, at: number) =>
      defined(values?.[at], 'a number of a prompt')
    for (let at = 0; at < own; at++) {
      const from = prompt * own + at
      put(at, number(points, 2 * from), number(points, 2 * from + 1), number(labels, from))
    }
    if (!boxes) continue
    for (const [corner, label] of cornerLabels.entries()) {
      const from = 4 * prompt + 2 * corner
      put(own + corner, number(boxes, from), number(boxes, from + 1), label)
    }
  }
  return fed
}
