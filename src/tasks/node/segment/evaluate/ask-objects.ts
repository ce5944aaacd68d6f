import type { Size } from '../../../../image/crop-window.js'
import { type Click, centreClick, uniformClicks } from '../../../../segmentation/clicks.js'
import { type Annotation, maskOf } from '../../../../segmentation/coco-form.js'
import type { Prompt } from '../../../../segmentation/prompts.js'
import { decodeRle, encodeRle, type Rle, rleArea, rleText } from '../../../../segmentation/rle.js'
import { maskIou } from '../../../../segmentation/rle-overlap.js'
import type { EncodedPicture, PredictedMask } from '../../../segment/encoded-picture.js'
import type { ObjectAnswer, PromptKind } from './mask-outcome.js'

/** How clicks are chosen: evenly from the object's pixels, or where a patient user would click (see `clicks.ts`). */
export type Sampler = 'uniform' | 'centre'

export interface AskOptions {
  readonly prompts: readonly PromptKind[]
  readonly sampler: Sampler
  /** Three points are answered by the single mask, not by the best of three. */
  readonly single: boolean
  readonly seed: number
  readonly signal?: AbortSignal | undefined
}

const severalClicks = 3

/** An object that is marked in a picture. */
interface MarkedObject {
  readonly annotation: Annotation
  readonly truth: Rle
}

/** Asks for every object of a picture by every kind of prompt. Crowds are no object, and neither is what has no pixel. */
export async function askObjects(
  encoded: EncodedPicture,
  annotations: readonly Annotation[],
  options: AskOptions,
): Promise<ObjectAnswer[]> {
  const answers: ObjectAnswer[] = []
  for (const annotation of annotations) {
    const truth = maskOf(annotation.segmentation, encoded.size, `annotation ${annotation.id}`)
    if (annotation.iscrowd === 1 || rleArea(truth) === 0) continue
    for (const prompt of options.prompts) {
      const masks = await ask(encoded, { annotation, truth }, prompt, options)
      answers.push(judged(masks, { annotation, truth }, prompt))
    }
  }
  return answers
}

function judged(
  masks: readonly PredictedMask[],
  { annotation, truth }: MarkedObject,
  prompt: PromptKind,
): ObjectAnswer {
  const runs = masks.map(({ mask }) => encodeRle(mask))
  const ious = runs.map((run) => maskIou(run, truth))
  const [best] = runs
  return {
    annotation: annotation.id,
    prompt,
    iou: ious[0] ?? 0,
    oracle: Math.max(0, ...ious),
    ...(prompt === 'box' && best && { counts: rleText(best) }),
  }
}

async function ask(
  encoded: EncodedPicture,
  object: MarkedObject,
  prompt: PromptKind,
  { sampler, single, seed, signal }: AskOptions,
): Promise<PredictedMask[]> {
  const multimask = prompt !== 'points' || !single
  const predict = (said: Prompt) => encoded.predict(said, { multimask, signal })
  if (prompt === 'box') return await predict({ box: boxWithin(object.annotation.bbox, encoded.size) })
  const count = prompt === 'point' ? 1 : severalClicks
  const mask = decodeRle(object.truth)
  if (sampler === 'uniform') {
    return await predict({ points: uniformClicks(mask, { count, seed, object: object.annotation.id }) })
  }
  const points: Click[] = []
  let masks: PredictedMask[] = []
  while (points.length < count) {
    const click = centreClick(mask, masks[0]?.mask)
    if (!click) break
    points.push(click)
    masks = await predict({ points })
  }
  return masks
}

/** An annotation's box as corners, within the picture and at least a pixel wide and high. */
function boxWithin(
  [x, y, width, height]: Annotation['bbox'],
  size: Size,
): readonly [number, number, number, number] {
  const [left, top] = [Math.min(Math.max(x, 0), size.width - 1), Math.min(Math.max(y, 0), size.height - 1)]
  const right = Math.min(Math.max(x + width, left + 1), size.width)
  return [left, top, right, Math.min(Math.max(y + height, top + 1), size.height)]
}
