import { BlvitError } from '../base/blvit-error.js'
import { checkOptions, type OptionKeys } from '../base/check-options.js'
import type { Size } from '../image/crop-window.js'
import type { PictureMask } from '../image/picture-mask.js'
import type { FrameFit } from './frame.js'
import { sizeInFrame } from './frame.js'
import { axisTaps, scaled } from './logits-scale.js'
import type { BoxXyxy } from './restored-mask.js'

/** A click in pixels of the picture, from its upper left corner. */
export interface PointPrompt {
  readonly x: number
  readonly y: number
  /** 1: on the object (default); 0: on what is not part of it. */
  readonly label?: 0 | 1 | undefined
}

/** Logits of an earlier answer, above 0 where a pixel was meant. */
export interface MaskLogits {
  readonly rows: number
  readonly columns: number
  /** `[rows, columns]` */
  readonly logits: Float32Array
}

/** What is wanted: clicks, a box around it, an earlier mask of it, or several of these together, for one object. */
export interface Prompt {
  readonly points?: readonly PointPrompt[] | undefined
  /** left, top, right, bottom in pixels of the picture */
  readonly box?: BoxXyxy | undefined
  /** Logits of an earlier answer, or a mask of the picture's size. */
  readonly mask?: MaskLogits | PictureMask | undefined
}

const promptKeys: OptionKeys<Prompt> = { points: true, box: true, mask: true }

/** What a model can be told, beside {@link FrameFit}. */
export interface PromptFrame extends FrameFit {
  readonly takesMasks: boolean
  readonly takesNegativePoints: boolean
  /** How many points a prompt can have, where a box is two; undefined: as many as one likes. */
  readonly points?: number | undefined
}

/** Prompts in pixels of the model's frame, flat and row-major; all of them have equally many points. */
export interface FramePrompts {
  /** How many; each is answered with masks of its own. */
  readonly count: number
  /** x and y, where a pixel's corner is its number: the graph adds the half to its centre. `[count, points, 2]` */
  readonly points?: Float32Array | undefined
  /** 1: inside, 0: outside, −1: no point, to fill up a row. `[count, points]` */
  readonly labels?: Float32Array | undefined
  /** Left, top, right, bottom, one a prompt. `[count, 4]` */
  readonly boxes?: Float32Array | undefined
  /** Logits of masks from an earlier answer. `[count, maskRows, maskColumns]` */
  readonly masks?: Float32Array | undefined
}

/** More prompts at once are a slip: their logits would take 8 GB. */
const mostPrompts = 10_000

/** Points of one prompt beyond this are a slip. */
const mostPoints = 1_000

function bad(message: string): BlvitError {
  return new BlvitError('BAD_OPTION', message)
}

/**
 * Checks prompts against their picture and their model.
 * @throws BlvitError `BAD_OPTION` for too many of them, for what is no prompt, lies outside the picture, or a mask of another
 *   size; `UNSUPPORTED` for what the model can't be told
 */
export function checkPrompts(prompts: readonly Prompt[], picture: Size, frame: PromptFrame): void {
  if (prompts.length > mostPrompts) {
    throw bad(`${prompts.length} prompts are too many at once; give at most ${mostPrompts}.`)
  }
  prompts.forEach((prompt, place) => {
    checkPrompt(prompt, picture, frame, prompts.length === 1 ? 'the prompt' : `prompt ${place + 1}`)
  })
}

/** @throws BlvitError `BAD_OPTION` for parts of other kinds, which callers without types may give */
function checkKinds(prompt: Prompt, name: string): void {
  const isObject = (value: unknown) => typeof value === 'object' && value !== null
  if (!isObject(prompt))
    throw bad(`${name} is ${typeof prompt}; it must be an object of points, a box or a mask.`)
  checkOptions('part of a prompt', prompt, promptKeys)
  const { points, box, mask } = prompt
  if (points !== undefined && !(Array.isArray(points) && points.every(isObject)))
    throw bad(`The points of ${name} must be a list: [{ x: 210, y: 140 }].`)
  if (box !== undefined && !Array.isArray(box))
    throw bad(`The box of ${name} must be a list: [left, top, right, bottom].`)
  if (mask !== undefined && !isObject(mask))
    throw bad(`The mask of ${name} must be { height, width, values }, or the logits of an earlier answer.`)
}

function checkPrompt(prompt: Prompt, picture: Size, frame: PromptFrame, name: string): void {
  checkKinds(prompt, name)
  const { points = [], box, mask } = prompt
  if (points.length === 0 && !box && !mask) {
    throw bad(`In ${name} nothing is said: give points, a box or a mask.`)
  }
  if (points.length > mostPoints)
    throw bad(`${name} has ${points.length} points; at most ${mostPoints} are taken.`)
  for (const point of points) checkPoint(point, picture, name)
  if (!frame.takesNegativePoints && points.some(({ label }) => label === 0)) {
    throw new BlvitError(
      'UNSUPPORTED',
      `This model knows no points of what is not part of the object (label 0, in ${name}).`,
    )
  }
  const filled = points.length + (box ? 2 : 0)
  if (frame.points !== undefined && filled > frame.points) {
    throw new BlvitError(
      'UNSUPPORTED',
      `${name} has ${filled} points${box ? ', a box being two' : ''}; this model takes ${frame.points}.`,
    )
  }
  if (box) checkBox(box, picture, name)
  if (!mask) return
  if (!frame.takesMasks)
    throw new BlvitError('UNSUPPORTED', `This model takes no mask as a prompt (in ${name}).`)
  checkMask(mask, picture, frame, name)
}

function inPicture({ height, width }: Size): string {
  return `the picture, ${width} × ${height} pixels`
}

function checkPoint({ x, y, label = 1 }: PointPrompt, picture: Size, name: string): void {
  if (!Number.isFinite(x) || !Number.isFinite(y))
    throw bad(`A point of ${name} is (${x}, ${y}); it must be two numbers.`)
  if (x < 0 || y < 0 || x >= picture.width || y >= picture.height) {
    throw bad(`The point (${x}, ${y}) of ${name} lies outside ${inPicture(picture)}.`)
  }
  if (label !== 0 && label !== 1)
    throw bad(`A point of ${name} has the label ${label}; it must be 1 (on the object) or 0.`)
}

function checkBox(box: BoxXyxy, picture: Size, name: string): void {
  const [x0, y0, x1, y1] = box
  const told = `The box ${box.join(', ')} of ${name}`
  if (box.length !== 4 || !box.every(Number.isFinite)) {
    throw bad(`${told} is none: it must be four numbers, left, top, right, bottom.`)
  }
  if (x0 >= x1 || y0 >= y1) {
    throw bad(
      `${told} is empty: its right must be greater than its left and its bottom greater than its top.`,
    )
  }
  if (x0 < 0 || y0 < 0 || x1 > picture.width || y1 > picture.height) {
    throw bad(`${told} goes beyond ${inPicture(picture)}.`)
  }
}

function isLogits(mask: MaskLogits | PictureMask): mask is MaskLogits {
  return 'logits' in mask
}

function checkMask(mask: MaskLogits | PictureMask, picture: Size, frame: PromptFrame, name: string): void {
  if (isLogits(mask)) {
    const { rows, columns, logits } = mask
    if (rows !== frame.maskRows || columns !== frame.maskColumns || logits.length !== rows * columns) {
      throw bad(
        `The mask of ${name} has ${columns} × ${rows} logits (${logits.length} numbers); this model's have ` +
          `${frame.maskColumns} × ${frame.maskRows}. Give those of an earlier answer, or a mask of the picture's size.`,
      )
    }
    if (!logits.every(Number.isFinite)) throw bad(`The mask of ${name} has logits that are no numbers.`)
    return
  }
  const { height, width, values } = mask
  if (height !== picture.height || width !== picture.width || values.length !== height * width) {
    throw bad(
      `The mask of ${name} is ${width} × ${height} pixels; it must be of the size of ${inPicture(picture)}.`,
    )
  }
}

/** Of a mask drawn in pixels, as SAM 2 takes them: sure, but not beyond doubt. */
const drawnLogit = 10

/** A mask prompt as the model takes it. */
function maskLogits(mask: MaskLogits | PictureMask, picture: Size, frame: FrameFit): Float32Array {
  if (isLogits(mask)) return mask.logits
  const drawn = Float32Array.from(mask.values, (value) => (value === 0 ? -drawnLogit : drawnLogit))
  // the masks' share that the picture takes of the frame; what is beyond it is not meant
  const inFrame = sizeInFrame(picture, frame)
  const part = (whole: number, side: number, of: number) => Math.max(1, Math.round((whole * side) / of))
  const rows = part(frame.maskRows, inFrame.height, frame.height)
  const columns = part(frame.maskColumns, inFrame.width, frame.width)
  const fitted = scaled(drawn, picture, {
    rows: axisTaps('bilinear', { from: picture.height, to: rows }),
    columns: axisTaps('bilinear', { from: picture.width, to: columns }),
  })
  const logits = new Float32Array(frame.maskRows * frame.maskColumns).fill(-drawnLogit)
  for (let row = 0; row < rows; row++) {
    logits.set(fitted.subarray(row * columns, (row + 1) * columns), row * frame.maskColumns)
  }
  return logits
}

/**
 * Prompts of one kind in the model's frame.
 * @param prompts checked; all with a box or none, all with a mask or none (see {@link alikePrompts})
 */
export function framePrompts(prompts: readonly Prompt[], picture: Size, frame: FrameFit): FramePrompts {
  const inFrame = sizeInFrame(picture, frame)
  const [acrossScale, downScale] = [inFrame.width / picture.width, inFrame.height / picture.height]
  const count = prompts.length
  const mostPointsHere = Math.max(0, ...prompts.map(({ points = [] }) => points.length))
  const points = new Float32Array(count * mostPointsHere * 2)
  const labels = new Float32Array(count * mostPointsHere).fill(-1)
  prompts.forEach(({ points: clicks = [] }, prompt) => {
    clicks.forEach(({ x, y, label = 1 }, click) => {
      const at = prompt * mostPointsHere + click
      points[2 * at] = x * acrossScale
      points[2 * at + 1] = y * downScale
      labels[at] = label
    })
  })
  const boxes = Float32Array.from(
    prompts.flatMap(({ box = [] }) => box.map((side, at) => side * (at % 2 === 0 ? acrossScale : downScale))),
  )
  const masks = prompts.flatMap(({ mask }) => (mask ? [maskLogits(mask, picture, frame)] : []))
  return {
    count,
    ...(mostPointsHere > 0 && { points, labels }),
    ...(boxes.length > 0 && { boxes }),
    ...(masks.length > 0 && { masks: joined(masks) }),
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** Prompts that one run can take, and their places among all. */
export interface AlikePrompts {
  readonly places: readonly number[]
  readonly prompts: readonly Prompt[]
}

/** Sorts prompts by what they are made of: a run takes prompts of one kind, with equally many points. */
export function alikePrompts(prompts: readonly Prompt[]): AlikePrompts[] {
  const groups = new Map<string, { places: number[]; prompts: Prompt[] }>()
  prompts.forEach((prompt, place) => {
    const { points = [], box, mask } = prompt
    const key = [points.length, box !== undefined, mask !== undefined].join()
    const group = groups.get(key) ?? { places: [], prompts: [] }
    group.places.push(place)
    group.prompts.push(prompt)
    groups.set(key, group)
  })
  return [...groups.values()]
}
