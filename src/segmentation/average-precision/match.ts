import type { BoxXywh, Rle } from '../rle.js'
import { boxIou, maskIou } from '../rle-overlap.js'

/** What is compared: masks or boxes. */
export type Shape =
  | { readonly kind: 'mask'; readonly mask: Rle }
  | { readonly kind: 'box'; readonly box: BoxXywh }

/** An object that is in a picture. */
export interface Truth {
  readonly image: number
  readonly category: number
  readonly shape: Shape
  /** square pixels, as the annotation says */
  readonly area: number
  /** Many objects as one: never missed, and may be found again and again. */
  readonly isCrowd: boolean
}

/** An object that was found. */
export interface Detection {
  readonly image: number
  readonly category: number
  readonly score: number
  readonly shape: Shape
  /** square pixels */
  readonly area: number
}

/** Objects between two areas, both included, in square pixels. */
export type AreaRange = readonly [least: number, most: number]

/** COCO's sizes: below 32², up to 96², and above. */
export const areaRanges = {
  all: [0, 1e10],
  small: [0, 32 ** 2],
  medium: [32 ** 2, 96 ** 2],
  large: [96 ** 2, 1e10],
} as const satisfies Record<string, AreaRange>

export type AreaName = keyof typeof areaRanges

export const areaNames = Object.keys(areaRanges) as AreaName[]

/** 0.50, 0.55, …, 0.95, in the doubles of numpy's linspace. */
export const iouThresholds: readonly number[] = Array.from(
  { length: 10 },
  (_, i) => 0.5 + i * ((0.95 - 0.5) / 9),
)

/** What became of the detections of one picture and category, the best first. */
export interface Matched {
  readonly scores: readonly number[]
  /** for each threshold, of each detection: found an object that counts, found none, or is not counted */
  readonly outcomes: readonly (readonly Outcome[])[]
  /** objects that count */
  readonly truths: number
}

export type Outcome = 'right' | 'wrong' | 'ignored'

/** The best first, equals in their order. */
export function byScore(detections: readonly Detection[]): Detection[] {
  return [...detections].sort((a, b) => b.score - a.score)
}

/** How much each detection overlaps each object. */
export function overlaps(detections: readonly Detection[], truths: readonly Truth[]): number[][] {
  return detections.map(({ shape: found }) =>
    truths.map(({ shape: real, isCrowd: crowd }) => {
      if (found.kind === 'mask' && real.kind === 'mask') return maskIou(found.mask, real.mask, { crowd })
      if (found.kind === 'box' && real.kind === 'box') return boxIou(found.box, real.box, { crowd })
      return 0
    }),
  )
}

interface MatchInput {
  /** the best first */
  readonly detections: readonly Detection[]
  readonly truths: readonly Truth[]
  /** `[detections][truths]` */
  readonly ious: readonly (readonly number[])[]
}

function isOutside(area: number, [least, most]: AreaRange): boolean {
  return area < least || area > most
}

/**
 * Gives each detection of one picture and category the object that it overlaps most (cocoapi `evaluateImg`).
 * @param options `unmatchedIsIgnored`: detections that count for nothing where they find no object
 */
export function matchDetections(
  { detections, truths, ious }: MatchInput,
  {
    range,
    unmatchedIsIgnored = () => false,
  }: { readonly range: AreaRange; readonly unmatchedIsIgnored?: (detection: Detection) => boolean },
): Matched {
  const isIgnored = truths.map(({ isCrowd, area }) => isCrowd || isOutside(area, range))
  // objects that count first: a detection takes an ignored one only if it overlaps no other enough
  const order = truths.map((_, place) => place).sort((a, b) => Number(isIgnored[a]) - Number(isIgnored[b]))
  const outcomes = iouThresholds.map((threshold) => {
    const taken = new Set<number>()
    return detections.map((detection, row): Outcome => {
      let best: number | undefined
      let most = Math.min(threshold, 1 - 1e-10)
      for (const place of order) {
        if (taken.has(place) && !truths[place]?.isCrowd) continue
        if (best !== undefined && !isIgnored[best] && isIgnored[place]) break
        const iou = ious[row]?.[place] ?? 0
        if (iou < most) continue
        most = iou
        best = place
      }
      if (best === undefined) {
        return isOutside(detection.area, range) || unmatchedIsIgnored(detection) ? 'ignored' : 'wrong'
      }
      taken.add(best)
      return isIgnored[best] ? 'ignored' : 'right'
    })
  })
  return {
    scores: detections.map(({ score }) => score),
    outcomes,
    truths: isIgnored.filter((ignored) => !ignored).length,
  }
}
