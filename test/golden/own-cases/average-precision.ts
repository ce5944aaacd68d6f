import { z } from 'zod'
import { type CocoSummary, cocoAveragePrecision } from '../../../src/segmentation/average-precision/coco.js'
import {
  detectionsOf,
  federatedOf,
  truthsOf,
} from '../../../src/segmentation/average-precision/from-coco-form.js'
import { type LvisSummary, lvisAveragePrecision } from '../../../src/segmentation/average-precision/lvis.js'
import { instancesFile, resultsFile } from '../../../src/segmentation/coco-form.js'
import { Findings, type OwnCase } from './findings.js'
import { readJson } from './read-json.js'

const twelve = z.array(z.number()).length(12)
const perCategory = z.record(z.string(), z.number())
const curve = z.array(z.number()).length(101)

const cocoFile = z.looseObject({
  gt: instancesFile,
  dt: resultsFile,
  stats: z.looseObject({
    segm_useCats1: twelve,
    segm_ap_per_category: perCategory,
    segm_precision_iou50_cat1_all_max100: curve,
    segm_useCats0: twelve,
    bbox_useCats1: twelve,
    bbox_ap_per_category: perCategory,
    bbox_precision_iou50_cat1_all_max100: curve,
    bbox_useCats0: twelve,
  }),
  tolerance: z.number(),
})

/** In the order of cocoapi's summary. */
const order: readonly (keyof CocoSummary)[] = [
  'ap',
  'ap50',
  'ap75',
  'apSmall',
  'apMedium',
  'apLarge',
  'ar1',
  'ar10',
  'ar100',
  'arSmall',
  'arMedium',
  'arLarge',
]

function numbersOf<Name extends string>(
  summary: Readonly<Record<Name, number | undefined>>,
  names: readonly Name[],
): number[] {
  return names.map((name) => summary[name] ?? -1)
}

/** COCO's twelve numbers for masks and boxes, with and without categories, AP by category and a whole curve. */
export const cocoAp: OwnCase = async (folder) => {
  const { gt, dt, stats, tolerance } = await readJson(folder, 'coco_ap_case.json', cocoFile)
  const found = new Findings()
  for (const [name, compared] of [['segm', 'mask'] as const, ['bbox', 'box'] as const]) {
    const input = { truths: truthsOf(gt, compared), detections: detectionsOf(dt, gt, { compared }) }
    const withCategories = cocoAveragePrecision(input)
    found.close(name, numbersOf(withCategories.summary, order), stats[`${name}_useCats1`], tolerance)
    const without = cocoAveragePrecision(input, { useCategories: false })
    found.close(
      `${name} without categories`,
      numbersOf(without.summary, order),
      stats[`${name}_useCats0`],
      tolerance,
    )
    const official = Object.entries(stats[`${name}_ap_per_category`])
    const ours = official.map(([category]) => withCategories.perCategory.get(Number(category)) ?? -1)
    found.close(
      `${name} by category`,
      ours,
      official.map(([, ap]) => ap),
      tolerance,
    )
    const curves = withCategories.curves(1, 'all', 100)
    const officialCurve = stats[`${name}_precision_iou50_cat1_all_max100`]
    found.close(`${name} curve`, curves?.precision[0] ?? [], officialCurve, tolerance)
  }
  return found
}

const lvisNumbers = {
  AP: 'ap',
  AP50: 'ap50',
  AP75: 'ap75',
  APs: 'apSmall',
  APm: 'apMedium',
  APl: 'apLarge',
  APr: 'apRare',
  APc: 'apCommon',
  APf: 'apFrequent',
  'AR@300': 'ar',
  'ARs@300': 'arSmall',
  'ARm@300': 'arMedium',
  'ARl@300': 'arLarge',
} as const satisfies Readonly<Record<string, keyof LvisSummary>>

const lvisFile = z.looseObject({
  gt: instancesFile,
  results: z.record(
    z.enum(['segm', 'segm_limit20', 'bbox', 'bbox_limit20']),
    z.record(z.string(), z.number()),
  ),
  tolerance: z.number(),
})

/** LVIS's thirteen numbers of the detections of COCO's case. */
export const lvisAp: OwnCase = async (folder) => {
  const { gt, results, tolerance } = await readJson(folder, 'lvis_ap_case.json', lvisFile)
  const { dt } = await readJson(folder, 'coco_ap_case.json', cocoFile)
  const found = new Findings()
  for (const [name, official] of Object.entries(results)) {
    const compared = name.startsWith('segm') ? 'mask' : 'box'
    const detections = detectionsOf(dt, gt, { compared, areaFrom: 'box' })
    const input = { truths: truthsOf(gt, compared), detections, ...federatedOf(gt) }
    const summary = lvisAveragePrecision(input, { most: name.endsWith('limit20') ? 20 : 300 })
    const names = Object.keys(lvisNumbers) as (keyof typeof lvisNumbers)[]
    const ours = names.map((number) => summary[lvisNumbers[number]] ?? -1)
    found.close(
      name,
      ours,
      names.map((number) => official[number] ?? Number.NaN),
      tolerance,
    )
  }
  return found
}
