import {
  type AreaName,
  areaNames,
  areaRanges,
  byScore,
  type Detection,
  iouThresholds,
  matchDetections,
  overlaps,
  type Truth,
} from './match.js'
import { type CategoryPrecision, categoryPrecision, meanOf } from './precision.js'

/** Detections a picture and category that are looked at, the best first; recall is told for fewer too. */
const detectionCounts = [1, 10, 100] as const

/** COCO's twelve numbers, 0 … 1; undefined where no object is of that size. */
export interface CocoSummary {
  readonly ap: number | undefined
  readonly ap50: number | undefined
  readonly ap75: number | undefined
  readonly apSmall: number | undefined
  readonly apMedium: number | undefined
  readonly apLarge: number | undefined
  readonly ar1: number | undefined
  readonly ar10: number | undefined
  readonly ar100: number | undefined
  readonly arSmall: number | undefined
  readonly arMedium: number | undefined
  readonly arLarge: number | undefined
}

export interface CocoEvaluation {
  readonly summary: CocoSummary
  /** AP of each category that has objects. */
  readonly perCategory: ReadonlyMap<number, number>
  /** Curves of a category at an area and a number of detections a picture. */
  curves(
    category: number,
    area: AreaName,
    most: (typeof detectionCounts)[number],
  ): CategoryPrecision | undefined
}

export interface CocoOptions {
  /** Whether a detection must be of the object's category. Default true; else all count as one, number 0. */
  readonly useCategories?: boolean
}

/** Keys of groups in their order, numbers ascending. */
export function grouped<T>(items: readonly T[], keyOf: (item: T) => number): ReadonlyMap<number, T[]> {
  const groups = new Map<number, T[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group) group.push(item)
    else groups.set(keyOf(item), [item])
  }
  return new Map([...groups].sort(([a], [b]) => a - b))
}

/**
 * COCO's average precision and recall, number for number as cocoapi computes them.
 * @param found detections of the pictures that `truths` are of
 */
export function cocoAveragePrecision(
  { truths, detections }: { readonly truths: readonly Truth[]; readonly detections: readonly Detection[] },
  { useCategories = true }: CocoOptions = {},
): CocoEvaluation {
  const merged = <T extends { category: number }>(items: readonly T[]) =>
    useCategories
      ? items
      : [...grouped(items, ({ category }) => category).values()]
          .flat()
          .map((item) => ({ ...item, category: 0 }))
  const [real, found] = [merged(truths), merged(detections)]
  const categories = [...grouped([...real, ...found], ({ category }) => category).keys()]
  const most = Math.max(...detectionCounts)
  const all = new Map<string, CategoryPrecision>()
  for (const category of categories) {
    const ofCategory = (item: Truth | Detection) => item.category === category
    const realByImage = grouped(real.filter(ofCategory), ({ image }) => image)
    const foundByImage = grouped(found.filter(ofCategory), ({ image }) => image)
    const images = [...new Set([...realByImage.keys(), ...foundByImage.keys()])].sort((a, b) => a - b)
    const inputs = images.map((image) => {
      const best = byScore(foundByImage.get(image) ?? []).slice(0, most)
      const objects = realByImage.get(image) ?? []
      return { detections: best, truths: objects, ious: overlaps(best, objects) }
    })
    for (const area of areaNames) {
      const matched = inputs.map((input) => matchDetections(input, { range: areaRanges[area] }))
      for (const count of detectionCounts) {
        const curves = categoryPrecision(matched, { most: count })
        if (curves) all.set([category, area, count].join(), curves)
      }
    }
  }
  const curves: CocoEvaluation['curves'] = (category, area, count) => all.get([category, area, count].join())
  const curvesOf = (area: AreaName, count: (typeof detectionCounts)[number]) =>
    categories.flatMap((category) => curves(category, area, count) ?? [])
  const ap = (area: AreaName = 'all', iou?: number) =>
    meanOf(
      curvesOf(area, 100).flatMap(({ precision }) =>
        precision.filter((_, threshold) => iou === undefined || isThreshold(threshold, iou)).flat(),
      ),
    )
  const ar = (count: (typeof detectionCounts)[number], area: AreaName = 'all') =>
    meanOf(curvesOf(area, count).flatMap(({ recall }) => recall))
  const perCategory = categories.flatMap((category) => {
    const precision = curves(category, 'all', 100)?.precision
    const mean = precision && meanOf(precision.flat())
    return mean === undefined ? [] : [[category, mean] as const]
  })
  return {
    curves,
    perCategory: new Map(perCategory),
    summary: {
      ap: ap(),
      ap50: ap('all', 0.5),
      ap75: ap('all', 0.75),
      apSmall: ap('small'),
      apMedium: ap('medium'),
      apLarge: ap('large'),
      ar1: ar(1),
      ar10: ar(10),
      ar100: ar(100),
      arSmall: ar(100, 'small'),
      arMedium: ar(100, 'medium'),
      arLarge: ar(100, 'large'),
    },
  }
}

/** Whether threshold number `index` is the one that people call `iou`. */
export function isThreshold(index: number, iou: number): boolean {
  return Math.abs((iouThresholds[index] ?? 0) - iou) < 1e-9
}
