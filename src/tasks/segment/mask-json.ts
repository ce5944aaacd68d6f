import type { Size } from '../../image/crop-window.js'
import type { PictureMask } from '../../image/picture-mask.js'
import { polygonsOf } from '../../segmentation/contours.js'
import type { FoundMask } from '../../segmentation/everything.js'
import type { Prompt } from '../../segmentation/prompts.js'
import { decodeRle, encodeRle, type Rle, rleBox, rleText } from '../../segmentation/rle.js'
import type { PredictedMask } from './encoded-picture.js'

/** A mask as COCO's tools read it, `pycocotools.mask.decode(segmentation)`. */
function cocoMask(rle: Rle) {
  return { segmentation: { size: rle.size, counts: rleText(rle) }, bbox: rleBox(rle) }
}

function maskJson({ mask, area, predictedIou, stability }: PredictedMask) {
  return { predictedIou, stability, area, ...cocoMask(encodeRle(mask)), polygons: polygonsOf(mask) }
}

/** What was asked, and the masks that it may mean. */
export interface Answered {
  readonly prompt: Prompt
  readonly masks: readonly PredictedMask[]
  /** Where they were written, if they were. */
  readonly files?: readonly string[] | undefined
}

/** Answers to prompts as JSON: masks as run lengths and as polygons, boxes as x, y, width, height. */
export function predictionsJson(
  answers: readonly Answered[],
  { picture, size }: { readonly picture: string; readonly size: Size },
) {
  const { width, height } = size
  return {
    ...{ picture, width, height },
    prompts: answers.map(({ prompt: { points, box, mask }, masks, files }) => ({
      ...(points && { points: points.map(({ x, y, label = 1 }) => ({ x, y, label })) }),
      ...(box && { box }),
      ...(mask && { mask: true }),
      masks: masks.map((one, at) => ({
        ...maskJson(one),
        ...(files?.[at] !== undefined && { file: files[at] }),
      })),
    })),
  }
}

/** Masks of everything in COCO's form, with segment-anything's numbers beside. */
export function everythingJson(
  masks: readonly FoundMask[],
  { picture, size }: { readonly picture: string; readonly size: Size },
) {
  const { width, height } = size
  return {
    images: [{ id: 1, file_name: picture, width, height }],
    categories: [{ id: 1, name: 'object' }],
    annotations: masks.map(({ mask, area, predictedIou, stability, point, crop }, at) => ({
      ...{ id: at + 1, image_id: 1, category_id: 1, iscrowd: 0, area },
      ...cocoMask(mask),
      predicted_iou: predictedIou,
      stability_score: stability,
      point_coords: [point],
      crop_box: [crop.left, crop.top, crop.width, crop.height],
    })),
  }
}

/** Pixels of masks of everything. */
export function masksOf(found: readonly FoundMask[]): PictureMask[] {
  return found.map(({ mask }) => decodeRle(mask))
}
