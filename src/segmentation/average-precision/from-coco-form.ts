import { BlvitError } from '../../base/blvit-error.js'
import { boxOf, type InstancesFile, maskOf, type ResultsFile } from '../coco-form.js'
import { rleArea } from '../rle.js'
import type { FederatedImage, Frequency } from './lvis.js'
import type { Detection, Truth } from './match.js'

/** What is compared of a file's objects. */
export type Compared = 'mask' | 'box'

type Images = ReadonlyMap<number, InstancesFile['images'][number]>

function imagesOf({ images }: InstancesFile): Images {
  return new Map(images.map((image) => [image.id, image]))
}

function imageOf(images: Images, id: number, name: string): InstancesFile['images'][number] {
  const image = images.get(id)
  if (image) return image
  throw new BlvitError(
    'BAD_DATA',
    `${name} is of picture ${id}, which the file doesn't list among its images.`,
  )
}

/** The objects of a file in COCO's form. @throws BlvitError `BAD_DATA` */
export function truthsOf(file: InstancesFile, compared: Compared): Truth[] {
  const images = imagesOf(file)
  return file.annotations.map((annotation) => {
    const name = `annotation ${annotation.id}`
    const size = imageOf(images, annotation.image_id, name)
    return {
      image: annotation.image_id,
      category: annotation.category_id,
      area: annotation.area,
      isCrowd: annotation.iscrowd === 1,
      shape:
        compared === 'mask'
          ? { kind: 'mask', mask: maskOf(annotation.segmentation, size, name) }
          : { kind: 'box', box: boxOf(annotation) },
    }
  })
}

/**
 * Results in COCO's form. A result's area is that of its box if it has one (`areaFrom: 'box'`), else of its mask, as
 * cocoapi and lvis-api have it.
 * @throws BlvitError `BAD_DATA`
 */
export function detectionsOf(
  results: ResultsFile,
  file: InstancesFile,
  { compared, areaFrom = compared }: { readonly compared: Compared; readonly areaFrom?: Compared },
): Detection[] {
  const images = imagesOf(file)
  return results.map(({ image_id: image, category_id: category, score, segmentation, bbox }, index) => {
    const name = `result ${index + 1}`
    const size = imageOf(images, image, name)
    const mask = segmentation && maskOf(segmentation, size, name)
    const shape: Detection['shape'] | undefined =
      compared === 'mask' ? mask && { kind: 'mask', mask } : bbox && { kind: 'box', box: boxOf({ bbox }) }
    const area = areaFrom === 'box' ? bbox && bbox[2] * bbox[3] : mask && rleArea(mask)
    if (!shape || area === undefined) {
      throw new BlvitError('BAD_DATA', `${name} has no ${compared === 'mask' ? 'segmentation' : 'bbox'}.`)
    }
    return { image, category, score, shape, area }
  })
}

const frequencyNames: Readonly<Record<'r' | 'c' | 'f', Frequency>> = { r: 'rare', c: 'common', f: 'frequent' }

/** What LVIS says beside the objects. @throws BlvitError `BAD_DATA` for a file without it */
export function federatedOf(file: InstancesFile): {
  readonly images: readonly FederatedImage[]
  readonly frequencies: ReadonlyMap<number, Frequency>
} {
  const frequencies = file.categories.map(({ id, frequency }) => {
    if (frequency === undefined) {
      throw new BlvitError(
        'BAD_DATA',
        `Category ${id} has no frequency (r, c or f): the file is not in LVIS's form.`,
      )
    }
    return [id, frequencyNames[frequency]] as const
  })
  return {
    frequencies: new Map(frequencies),
    images: file.images.map(
      ({ id, neg_category_ids: without = [], not_exhaustive_category_ids: notExhaustive = [] }) => ({
        id,
        without,
        notExhaustive,
      }),
    ),
  }
}
