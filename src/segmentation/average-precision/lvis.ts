import { grouped, isThreshold } from './coco.js'
import {
  type AreaName,
  areaRanges,
  byScore,
  type Detection,
  matchDetections,
  overlaps,
  type Truth,
} from './match.js'
import { type CategoryPrecision, categoryPrecision, meanOf } from './precision.js'

/** How common a category is: found in at most 10 pictures of the training part, at most 100, or more. */
export type Frequency = 'rare' | 'common' | 'frequent'

/** What is known of a picture: not every category was looked for in every picture. */
export interface FederatedImage {
  readonly id: number
  /** Categories that the picture surely has none of. */
  readonly without: readonly number[]
  /** Categories of which not every object is marked. */
  readonly notExhaustive: readonly number[]
}

/** LVIS's numbers, 0 … 1; undefined where no object is of that kind. */
export interface LvisSummary {
  readonly ap: number | undefined
  readonly ap50: number | undefined
  readonly ap75: number | undefined
  readonly apSmall: number | undefined
  readonly apMedium: number | undefined
  readonly apLarge: number | undefined
  readonly apRare: number | undefined
  readonly apCommon: number | undefined
  readonly apFrequent: number | undefined
  readonly ar: number | undefined
  readonly arSmall: number | undefined
  readonly arMedium: number | undefined
  readonly arLarge: number | undefined
}

export interface LvisInput {
  readonly truths: readonly Truth[]
  readonly detections: readonly Detection[]
  readonly images: readonly FederatedImage[]
  readonly frequencies: ReadonlyMap<number, Frequency>
}

/** LVIS's federated average precision, number for number as lvis-api computes it. @param options `most`: detections a picture, of all categories together. Default 300 */
export function lvisAveragePrecision(
  { truths, detections, images, frequencies }: LvisInput,
  { most = 300 }: { readonly most?: number } = {},
): LvisSummary {
  const realByImage = grouped(truths, ({ image }) => image)
  const foundByImage = grouped(detections, ({ image }) => image)
  const inputs = [...images]
    .sort((a, b) => a.id - b.id)
    .map(({ id, without, notExhaustive }) => {
      const real = realByImage.get(id) ?? []
      const known = new Set([...without, ...real.map(({ category }) => category)])
      // the cut comes first: detections of categories that nobody looked for take places too
      const best = byScore(foundByImage.get(id) ?? []).slice(0, most)
      return {
        real,
        found: best.filter(({ category }) => known.has(category)),
        notExhaustive: new Set(notExhaustive),
      }
    })
  const areas: readonly AreaName[] = ['all', 'small', 'medium', 'large']
  const all = new Map<string, CategoryPrecision>()
  for (const category of frequencies.keys()) {
    const pictures = inputs.flatMap(({ real, found, notExhaustive }) => {
      const objects = real.filter((truth) => truth.category === category)
      const some = found.filter((detection) => detection.category === category)
      if (objects.length + some.length === 0) return []
      const unmatchedIsIgnored = () => notExhaustive.has(category)
      return [
        { input: { detections: some, truths: objects, ious: overlaps(some, objects) }, unmatchedIsIgnored },
      ]
    })
    for (const area of areas) {
      const curves = categoryPrecision(
        pictures.map(({ input, unmatchedIsIgnored }) =>
          matchDetections(input, { range: areaRanges[area], unmatchedIsIgnored }),
        ),
      )
      if (curves) all.set([category, area].join(), curves)
    }
  }
  const curvesOf = (area: AreaName, frequency?: Frequency) =>
    [...frequencies].flatMap(([category, its]) =>
      frequency === undefined || its === frequency ? (all.get([category, area].join()) ?? []) : [],
    )
  const ap = (area: AreaName, { iou, frequency }: { iou?: number; frequency?: Frequency } = {}) =>
    meanOf(
      curvesOf(area, frequency).flatMap(({ precision }) =>
        precision.filter((_, threshold) => iou === undefined || isThreshold(threshold, iou)).flat(),
      ),
    )
  const ar = (area: AreaName) => meanOf(curvesOf(area).flatMap(({ recall }) => recall))
  return {
    ap: ap('all'),
    ap50: ap('all', { iou: 0.5 }),
    ap75: ap('all', { iou: 0.75 }),
    apSmall: ap('small'),
    apMedium: ap('medium'),
    apLarge: ap('large'),
    apRare: ap('all', { frequency: 'rare' }),
    apCommon: ap('all', { frequency: 'common' }),
    apFrequent: ap('all', { frequency: 'frequent' }),
    ar: ar('all'),
    arSmall: ar('small'),
    arMedium: ar('medium'),
    arLarge: ar('large'),
  }
}
