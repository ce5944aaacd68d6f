import { z } from 'zod'
import { keepApart } from '../../../src/segmentation/box-nms.js'
import { cropsOf, pointGrid } from '../../../src/segmentation/crops.js'
import { axisTaps } from '../../../src/segmentation/logits-scale.js'
import { restoreMask } from '../../../src/segmentation/restored-mask.js'
import { encodeRle } from '../../../src/segmentation/rle.js'
import { Findings, type OwnCase } from './findings.js'
import { readJson } from './read-json.js'

const box = z.tuple([z.number(), z.number(), z.number(), z.number()])
const map = z.array(z.array(z.number()))

const file = z.looseObject({
  crop_boxes: z.record(z.string(), z.tuple([z.array(box), z.array(z.int())])),
  point_grids: z.record(z.string(), z.array(z.tuple([z.number(), z.number()]))),
  unit: z.looseObject({
    logits: z.array(map),
    stability_offset1: z.array(z.number()),
    mask_gt_0p5_boxes_xyxy: z.array(box),
    rle_gt_0p5: z.array(z.object({ counts: z.array(z.int()) })),
    nms: z.object({
      boxes: z.array(box),
      scores: z.array(z.number()),
      iou: z.number(),
      keep: z.array(z.int()),
    }),
  }),
})

/** The parts of segment-anything's automatic masks: crops, grids, stability, boxes, runs, suppression. */
export const automaticMasks: OwnCase = async (folder) => {
  const { crop_boxes, point_grids, unit } = await readJson(folder, 'sam_amg_small.json', file)
  const found = new Findings()
  for (const [name, official] of Object.entries(crop_boxes)) {
    const [, height, width, layers] = /^(\d+)x(\d+)_n(\d+)$/.exec(name) ?? []
    const crops = cropsOf({ height: Number(height), width: Number(width) }, { layers: Number(layers) })
    const boxes = crops.map((crop) => [crop.left, crop.top, crop.left + crop.width, crop.top + crop.height])
    found.equal(`crops of ${name}`, [boxes, crops.map(({ layer }) => layer)], official)
  }
  for (const [perSide, official] of Object.entries(point_grids)) {
    found.close(`grid of ${perSide}`, pointGrid(Number(perSide)), official.flat(), 1e-12)
  }
  unit.logits.forEach((rows, index) => {
    const size = { height: rows.length, width: rows[0]?.length ?? 0 }
    const same = {
      rows: axisTaps('bilinear', { from: size.height, to: size.height }),
      columns: axisTaps('bilinear', { from: size.width, to: size.width }),
    }
    const stability = restoreMask(Float32Array.from(rows.flat()), size, same).stability
    found.close(`stability ${index}`, [stability], [unit.stability_offset1[index] ?? Number.NaN], 1e-6)
    // the official case means what is above 0.5
    const lowered = Float32Array.from(rows.flat(), (logit) => logit - 0.5)
    const { mask, box: outer } = restoreMask(lowered, size, same)
    found.equal(`box ${index}`, outer, unit.mask_gt_0p5_boxes_xyxy[index])
    found.equal(`runs ${index}`, encodeRle(mask).counts, unit.rle_gt_0p5[index]?.counts)
  })
  const { boxes, scores, iou, keep } = unit.nms
  found.equal('suppression', keepApart(boxes, scores, { iou }), keep)
  return found
}
