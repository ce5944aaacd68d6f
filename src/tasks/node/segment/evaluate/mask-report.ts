import { type CocoSummary, cocoAveragePrecision } from '../../../../segmentation/average-precision/coco.js'
import { federatedOf, truthsOf } from '../../../../segmentation/average-precision/from-coco-form.js'
import { type LvisSummary, lvisAveragePrecision } from '../../../../segmentation/average-precision/lvis.js'
import type { Detection } from '../../../../segmentation/average-precision/match.js'
import type { InstancesFile } from '../../../../segmentation/coco-form.js'
import { isOfSize, type MeanIou, meanIou } from '../../../../segmentation/mean-iou.js'
import { rleArea, rleFromText } from '../../../../segmentation/rle.js'
import type { Sampler } from './ask-objects.js'
import type { MaskOutcome, ObjectAnswer, PromptKind } from './mask-outcome.js'

/** How well objects were cut out by one kind of prompt. */
export interface PromptResult {
  readonly prompt: PromptKind
  /** Of the mask that the model thinks best: the mean over objects. */
  readonly iou: MeanIou
  /** Of the best mask that it gave. */
  readonly oracle: MeanIou
  /** By COCO's sizes of objects. */
  readonly small: MeanIou
  readonly medium: MeanIou
  readonly large: MeanIou
}

export interface MaskReport {
  /** The settings that pictures were encoded in, as people read them. */
  readonly setting: string
  readonly pictures: number
  readonly objects: number
  readonly sampler: Sampler
  readonly results: readonly PromptResult[]
  /** Masks of the true boxes with score 1: how good masks are, not how good a detector is. */
  readonly averagePrecision:
    | { readonly coco: CocoSummary; readonly lvis?: LvisSummary | undefined }
    | undefined
  readonly failures: readonly { readonly picture: string; readonly code: string; readonly message: string }[]
}

/** What outcomes come to. */
export function maskReport(
  outcomes: readonly MaskOutcome[],
  {
    setting,
    file,
    prompts,
    sampler,
    pictures,
  }: {
    readonly setting: string
    readonly file: InstancesFile
    readonly prompts: readonly PromptKind[]
    readonly sampler: Sampler
    readonly pictures: readonly number[]
  },
): MaskReport {
  const answers = outcomes.flatMap((outcome) => ('answers' in outcome ? outcome.answers : []))
  const areas = new Map(file.annotations.map(({ id, area }) => [id, area]))
  const results = prompts.map((prompt): PromptResult => {
    const own = answers.filter((answer) => answer.prompt === prompt)
    const of = (size: 'small' | 'medium' | 'large') =>
      meanIou(own.flatMap(({ annotation, iou }) => (isOfSize(areas.get(annotation) ?? 0, size) ? [iou] : [])))
    return {
      prompt,
      iou: meanIou(own.map(({ iou }) => iou)),
      oracle: meanIou(own.map(({ oracle }) => oracle)),
      ...{ small: of('small'), medium: of('medium'), large: of('large') },
    }
  })
  const names = new Map(file.images.map(({ id, file_name: name }) => [id, name ?? `${id}`]))
  return {
    setting,
    pictures: pictures.length,
    objects: new Set(answers.map(({ annotation }) => annotation)).size,
    sampler,
    results,
    averagePrecision: prompts.includes('box') ? averagePrecisionOf(answers, file, pictures) : undefined,
    failures: outcomes.flatMap((outcome) =>
      'error' in outcome
        ? [{ picture: names.get(outcome.image) ?? `${outcome.image}`, ...outcome.error }]
        : [],
    ),
  }
}

function averagePrecisionOf(
  answers: readonly ObjectAnswer[],
  file: InstancesFile,
  pictures: readonly number[],
): MaskReport['averagePrecision'] {
  const evaluated = new Set(pictures)
  const part = {
    ...file,
    images: file.images.filter(({ id }) => evaluated.has(id)),
    annotations: file.annotations.filter(({ image_id }) => evaluated.has(image_id)),
  }
  const sizes = new Map(part.images.map(({ id, height, width }) => [id, [height, width] as const]))
  const annotations = new Map(part.annotations.map((annotation) => [annotation.id, annotation]))
  const detections = answers.flatMap(({ annotation: id, counts }): Detection[] => {
    const annotation = annotations.get(id)
    const size = annotation && sizes.get(annotation.image_id)
    if (!annotation || !size || counts === undefined) return []
    const mask = rleFromText(counts, size)
    const { image_id: image, category_id: category } = annotation
    return [{ image, category, score: 1, area: rleArea(mask), shape: { kind: 'mask', mask } }]
  })
  const truths = truthsOf(part, 'mask')
  const isLvis = part.categories.every(({ frequency }) => frequency !== undefined)
  return {
    coco: cocoAveragePrecision({ truths, detections }).summary,
    lvis: isLvis ? lvisAveragePrecision({ truths, detections, ...federatedOf(part) }) : undefined,
  }
}
