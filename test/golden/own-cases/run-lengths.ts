import { z } from 'zod'
import { rleOfBox, rleOfPolygons } from '../../../src/segmentation/polygon-rle.js'
import {
  type BoxXywh,
  decodeRle,
  encodeRle,
  type Rle,
  rleArea,
  rleBox,
  rleFromText,
  rleText,
} from '../../../src/segmentation/rle.js'
import { boxIou, maskIou, mergeRles } from '../../../src/segmentation/rle-overlap.js'
import { Findings, type OwnCase } from './findings.js'
import { readJson } from './read-json.js'

const size = z.tuple([z.int(), z.int()])
const box = z.tuple([z.number(), z.number(), z.number(), z.number()])
const matrix = z.array(z.array(z.number()))

const file = z.looseObject({
  encode: z.array(
    z.object({
      name: z.string(),
      size,
      counts_string: z.string(),
      counts: z.array(z.int()),
      area: z.int(),
      bbox: box,
      /** Small ones only. */
      mask_rows: z.array(z.string()).optional(),
    }),
  ),
  polygons: z.array(
    z.object({
      name: z.string(),
      h: z.int(),
      w: z.int(),
      polygons: matrix,
      merged: z.string(),
      counts: z.array(z.int()),
      area: z.int(),
      bbox: box,
    }),
  ),
  boxes: z.array(z.object({ h: z.int(), w: z.int(), bbox: box, counts: z.array(z.int()), area: z.int() })),
  uncompressed: z.array(
    z.object({ inp: z.object({ size, counts: z.array(z.int()) }), counts_string: z.string() }),
  ),
  mask_iou: z.object({
    size,
    dt: z.array(z.string()),
    gt: z.array(z.string()),
    iou: matrix,
    iscrowd: z.array(z.int()),
    iou_crowd: matrix,
  }),
  box_iou_xywh: z.object({ dt: z.array(box), gt: z.array(box), iscrowd: z.array(z.int()), iou: matrix }),
  merge: z.object({ union: z.string(), intersection: z.string() }),
})

/** COCO's run-length masks: text, polygons, overlap, merging, all to the last bit. */
export const runLengths: OwnCase = async (folder) => {
  const golden = await readJson(folder, 'coco_rle.json', file)
  const found = new Findings()
  const sameRle = (where: string, rle: Rle, text: string) => {
    found.equal(`${where} text`, rleText(rle), text)
    found.equal(`${where} read`, rleFromText(text, rle.size).counts, rle.counts)
  }
  for (const {
    name,
    size: [height, width],
    mask_rows,
    ...official
  } of golden.encode) {
    const stored = { size: [height, width] as const, counts: official.counts }
    const drawn = mask_rows?.join('')
    const values = drawn === undefined ? decodeRle(stored).values : Uint8Array.from(drawn, Number)
    const rle = encodeRle({ height, width, values })
    sameRle(name, rle, official.counts_string)
    found.equal(`${name} counts`, rle.counts, official.counts)
    found.equal(`${name} area`, rleArea(rle), official.area)
    found.equal(`${name} box`, rleBox(rle), official.bbox)
    found.equal(`${name} decoded`, [...decodeRle(rle).values], [...values])
  }
  for (const { name, h: height, w: width, polygons, ...official } of golden.polygons) {
    const rle = rleOfPolygons(polygons, { height, width })
    sameRle(name, rle, official.merged)
    found.equal(`${name} counts`, rle.counts, official.counts)
    found.equal(`${name} area`, rleArea(rle), official.area)
    found.equal(`${name} box`, rleBox(rle), official.bbox)
  }
  golden.boxes.forEach(({ h: height, w: width, bbox, counts, area }, index) => {
    const rle = rleOfBox(bbox, { height, width })
    found.equal(`box ${index}`, [rle.counts, rleArea(rle)], [counts, area])
  })
  golden.uncompressed.forEach(({ inp, counts_string }, index) => {
    found.equal(`uncompressed ${index}`, rleText(inp), counts_string)
  })
  const { mask_iou: masks, box_iou_xywh: boxes, merge } = golden
  const read = (text: string) => rleFromText(text, masks.size)
  const table = <T>(dt: readonly T[], gt: readonly T[], iou: (d: T, g: T, index: number) => number) =>
    dt.map((d) => gt.map((g, index) => iou(d, g, index)))
  const [dt, gt] = [masks.dt.map(read), masks.gt.map(read)]
  found.equal(
    'mask IoU',
    table(dt, gt, (d, g) => maskIou(d, g)),
    masks.iou,
  )
  const crowd = table(dt, gt, (d, g, index) => maskIou(d, g, { crowd: masks.iscrowd[index] === 1 }))
  found.equal('mask IoU of crowds', crowd, masks.iou_crowd)
  const boxIous = table<BoxXywh>(boxes.dt, boxes.gt, (d, g, index) =>
    boxIou(d, g, { crowd: boxes.iscrowd[index] === 1 }),
  )
  found.equal('box IoU', boxIous, boxes.iou)
  // which masks are merged stands nowhere: the detections are
  found.equal('union', rleText(mergeRles(dt, 'union')), merge.union)
  found.equal('intersection', rleText(mergeRles(dt, 'intersection')), merge.intersection)
  return found
}
