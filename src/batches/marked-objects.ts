import { drawBelow, drawNormal } from '../base/distributions.js'
import type { Random } from '../base/random.js'
import type { Annotation } from '../segmentation/coco-form.js'
import { maskOf } from '../segmentation/coco-form.js'
import type { FrameFit } from '../segmentation/frame.js'
import { decodeRle } from '../segmentation/rle.js'
import type { Placing } from './framed-picture.js'

/** How often a model is asked of a picture, and the size of the masks that it answers with. */
export interface MaskQuestions extends Pick<FrameFit, 'height' | 'width' | 'maskRows' | 'maskColumns'> {
  /** Objects of each picture that are asked for; where there are fewer, some are asked for again. */
  readonly prompts: number
}

/** Objects of a picture, ready to be asked for in several ways. Coordinates are pixels of the frame, as a decoder takes them. */
export interface MarkedObjects {
  /** 1 where an object is. `[prompts, maskRows · maskColumns]` */
  readonly masks: Uint8Array
  /** Clicks of each, and whether they are on it (1) or beside it (0); the first is on it. `[prompts, clicks, 3]` */
  readonly clicks: Float32Array
  /** Left, top, right, bottom. `[prompts, 4]` */
  readonly boxes: Float32Array
}

/** Clicks that are drawn for each object. */
export const clicksPerObject = 3

/** How often a click that isn't the first is on the object, not beside it. */
const shareOnObject = 2 / 3

// SAM's noise of boxes: a tenth of a side, at most 20 of 1024 pixels (Kirillov et al. 2023, appendix A)
const boxNoise = 0.1
const mostBoxNoise = 20 / 1024

interface Cells {
  readonly rows: number
  readonly columns: number
}

/** An object at the size of the model's masks. */
interface SmallMask {
  readonly values: Uint8Array
  /** Numbers of the cells that are meant. */
  readonly meant: readonly number[]
}

/** By the nearest pixel, as the specification has it (§9). */
function smallMask(
  object: Annotation,
  { crop, mirrored, picture, resized }: Placing,
  { height, width, maskRows, maskColumns }: MaskQuestions,
): SmallMask {
  const { values } = decodeRle(maskOf(object.segmentation, picture, `annotation ${object.id}`))
  const source = (cell: number, cells: number, frame: number, inFrame: number, length: number) => {
    const place = ((cell + 0.5) * frame) / cells
    return place < inFrame ? Math.min(length - 1, Math.floor((place * length) / inFrame)) : undefined
  }
  const columns = Array.from({ length: maskColumns }, (_, cell) => {
    const at = source(cell, maskColumns, width, resized.width, crop.width)
    return at === undefined ? undefined : crop.left + (mirrored ? crop.width - 1 - at : at)
  })
  const small = new Uint8Array(maskRows * maskColumns)
  const meant: number[] = []
  for (let row = 0; row < maskRows; row++) {
    const at = source(row, maskRows, height, resized.height, crop.height)
    if (at === undefined) break
    columns.forEach((column, cell) => {
      if (column === undefined || values[(crop.top + at) * picture.width + column] === 0) return
      small[row * maskColumns + cell] = 1
      meant.push(row * maskColumns + cell)
    })
  }
  return { values: small, meant }
}

/** Left, top, right and bottom of cells, the last ones outside. */
function boundsOf({ meant }: SmallMask, { columns }: Cells): readonly [number, number, number, number] {
  let [left, top, right, bottom] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 0, 0]
  for (const cell of meant) {
    const [x, y] = [cell % columns, Math.floor(cell / columns)]
    left = Math.min(left, x)
    right = Math.max(right, x + 1)
    top = Math.min(top, y)
    bottom = Math.max(bottom, y + 1)
  }
  return [left, top, right, bottom]
}

/** A cell of the object, or of its box beside it; undefined where the box has no other. */
function drawnCell(mask: SmallMask, on: boolean, cells: Cells, random: Random): number | undefined {
  if (on) return mask.meant[drawBelow(mask.meant.length, random)]
  const [left, top, right, bottom] = boundsOf(mask, cells)
  const beside: number[] = []
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      if (mask.values[y * cells.columns + x] === 0) beside.push(y * cells.columns + x)
    }
  }
  return beside.length === 0 ? undefined : beside[drawBelow(beside.length, random)]
}

/**
 * Draws objects of a picture, and clicks and a box for each.
 * @returns undefined where none can be seen at the size of the model's masks
 * @throws BlvitError `BAD_DATA` for a mask that isn't one of the picture
 */
export function markedObjects(
  objects: readonly Annotation[],
  placing: Placing,
  questions: MaskQuestions,
  random: Random,
): MarkedObjects | undefined {
  const { height, width, maskRows: rows, maskColumns: columns, prompts } = questions
  const waiting = objects.filter(({ iscrowd }) => iscrowd !== 1)
  const found: SmallMask[] = []
  // decoding a mask takes as long as decoding a small picture: no more than are wanted
  while (found.length < prompts && waiting.length > 0) {
    const [object] = waiting.splice(drawBelow(waiting.length, random), 1)
    const mask = object && smallMask(object, placing, questions)
    if (mask && mask.meant.length > 0) found.push(mask)
  }
  if (found.length === 0) return undefined
  const cells = { rows, columns }
  const [across, down] = [width / columns, height / rows]
  const made = {
    masks: new Uint8Array(prompts * rows * columns),
    clicks: new Float32Array(prompts * clicksPerObject * 3),
    boxes: new Float32Array(prompts * 4),
  }
  for (let prompt = 0; prompt < prompts; prompt++) {
    const mask = found[prompt % found.length] as SmallMask
    made.masks.set(mask.values, prompt * rows * columns)
    for (let click = 0; click < clicksPerObject; click++) {
      const wanted = click === 0 || random() < shareOnObject
      const cell = drawnCell(mask, wanted, cells, random) ?? (mask.meant[0] as number)
      // anywhere in the cell; a coordinate is a pixel's, whose middle is half a pixel on
      const x = ((cell % columns) + random()) * across - 0.5
      const y = (Math.floor(cell / columns) + random()) * down - 0.5
      made.clicks.set([x, y, mask.values[cell] as number], (prompt * clicksPerObject + click) * 3)
    }
    made.boxes.set(noisyBox(boundsOf(mask, cells), { across, down, height, width }, random), prompt * 4)
  }
  return made
}

function noisyBox(
  [left, top, right, bottom]: readonly [number, number, number, number],
  { across, down, height, width }: { across: number; down: number; height: number; width: number },
  random: Random,
): readonly number[] {
  const moved = (place: number, side: number, frame: number) => {
    const most = mostBoxNoise * frame
    const noise = Math.max(-most, Math.min(most, boxNoise * side * drawNormal(random)))
    return Math.max(0, Math.min(frame, place + noise)) - 0.5
  }
  const [wide, high] = [(right - left) * across, (bottom - top) * down]
  return [
    moved(left * across, wide, width),
    moved(top * down, high, height),
    moved(right * across, wide, width),
    moved(bottom * down, high, height),
  ]
}
