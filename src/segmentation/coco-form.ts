import { z } from 'zod'
import { BlvitError } from '../base/blvit-error.js'
import { mostPixels } from '../image/pixel-limit.js'
import { type Polygon, rleOfPolygons } from './polygon-rle.js'
import { type BoxXywh, checkedRle, type Rle, rleFromText } from './rle.js'

// masks are limited as pictures are
const side = z.int().min(1).max(mostPixels)

const runs = z.strictObject({
  size: z.tuple([side, side]),
  counts: z.union([z.string(), z.array(z.int().min(0))]),
})

/** Polygons, or runs as numbers or as text. */
const segmentation = z.union([z.array(z.array(z.number()).min(6)), runs])

const box = z.tuple([z.number(), z.number(), z.number().min(0), z.number().min(0)])

const image = z.looseObject({
  id: z.int(),
  width: side,
  height: side,
  file_name: z.string().optional(),
  /** LVIS has an address instead. */
  coco_url: z.string().optional(),
  neg_category_ids: z.array(z.int()).optional(),
  not_exhaustive_category_ids: z.array(z.int()).optional(),
})

const annotation = z.looseObject({
  id: z.int(),
  image_id: z.int(),
  category_id: z.int(),
  segmentation,
  area: z.number().min(0),
  bbox: box,
  iscrowd: z.union([z.literal(0), z.literal(1)]).default(0),
})

const category = z.looseObject({
  id: z.int(),
  name: z.string(),
  /** LVIS: rare, common, frequent */
  frequency: z.enum(['r', 'c', 'f']).optional(),
})

/** Pictures with objects, as COCO and LVIS write them. */
export const instancesFile = z.looseObject({
  images: z.array(image),
  annotations: z.array(annotation),
  categories: z.array(category),
})

/** Objects that somebody found: a list, a mask or a box each. */
export const resultsFile = z.array(
  z.looseObject({
    image_id: z.int(),
    category_id: z.int(),
    score: z.number(),
    segmentation: segmentation.optional(),
    bbox: box.optional(),
  }),
)

export type InstancesFile = z.output<typeof instancesFile>
export type ResultsFile = z.output<typeof resultsFile>
export type Annotation = InstancesFile['annotations'][number]
type Segmentation = z.output<typeof segmentation>

interface Size {
  readonly height: number
  readonly width: number
}

/**
 * The mask of an annotation or a result.
 * @param name whose it is, for the message
 * @throws BlvitError `BAD_DATA` for runs that are none or those of a picture of another size
 */
export function maskOf(form: Segmentation, size: Size, name: string): Rle {
  if (size.height * size.width > mostPixels) {
    throw new BlvitError(
      'BAD_DATA',
      `${name} is of a picture of ${size.width} × ${size.height}; at most ${mostPixels} pixels are read.`,
    )
  }
  if (Array.isArray(form)) return rleOfPolygons(form as readonly Polygon[], size)
  const [height, width] = form.size
  if (height !== size.height || width !== size.width) {
    throw new BlvitError(
      'BAD_DATA',
      `The mask of ${name} is ${width} × ${height}, but its picture is ${size.width} × ${size.height} pixels.`,
    )
  }
  return typeof form.counts === 'string'
    ? rleFromText(form.counts, form.size)
    : checkedRle({ size: form.size, counts: form.counts })
}

/** An annotation's box as it is written. */
export function boxOf({ bbox: [x, y, width, height] }: Pick<Annotation, 'bbox'>): BoxXywh {
  return [x, y, width, height]
}
