import { join } from 'node:path'
import { z } from 'zod'
import { nodeDecoder } from '../../../src/image/node/decode.js'
import { keepApart } from '../../../src/segmentation/box-nms.js'
import { cropsOf, pointGrid } from '../../../src/segmentation/crops.js'
import { axisTaps } from '../../../src/segmentation/logits-scale.js'
import { restoreMask } from '../../../src/segmentation/restored-mask.js'
import { encodeRle } from '../../../src/segmentation/rle.js'
import { maskIou } from '../../../src/segmentation/rle-overlap.js'
import { Segmenter } from '../../../src/tasks/segment/segmenter.js'
import { goldenMaskEngine, readGoldenSam } from '../../support/golden-sam.js'
import { Findings, type OwnCase } from './findings.js'
import { readJson } from './read-json.js'

const box = z.tuple([z.number(), z.number(), z.number(), z.number()])
const map = z.array(z.array(z.number()))

const file = z.looseObject({
  params: z.looseObject({
    points_per_side: z.int(),
    points_per_batch: z.int(),
    pred_iou_thresh: z.number(),
    stability_score_thresh: z.number(),
    box_nms_thresh: z.number(),
  }),
  masks: z.array(
    z.looseObject({
      segmentation: z.object({ size: z.tuple([z.int(), z.int()]), counts: z.array(z.int()) }),
      area: z.int(),
      bbox: box,
      predicted_iou: z.number(),
      point_coords: z.array(z.tuple([z.number(), z.number()])),
      stability_score: z.number(),
    }),
  ),
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

/** What golden.json allows. */
const tolerance = { score: 0.002, areaPixels: 5 }

/** All masks of the picture of the end-to-end case, and those that the official code found. */
async function wholeRun({ params, masks }: z.output<typeof file>, folder: string, found: Findings) {
  const weights = join(folder, 'sam_end_to_end_small.safetensors')
  const golden = await readGoldenSam(weights)
  await using sam = new Segmenter('golden', await goldenMaskEngine(weights), nodeDecoder)
  const [height = 0, width = 0] = golden.shape('in/image_u8')
  const values = Uint8Array.from(golden.integers('in/image_u8'))
  const ours = await (await sam.encode({ height, width, values })).everything({
    pointsPerSide: params.points_per_side,
    pointsPerRun: params.points_per_batch,
    minIou: params.pred_iou_thresh,
    minStability: params.stability_score_thresh,
    maxOverlap: params.box_nms_thresh,
  })
  found.equal('number of masks', ours.length, masks.length)
  masks.forEach((official, at) => {
    const [mask, name] = [ours[at], `mask ${at}`]
    if (!mask) return
    const [x0, y0, x1, y1] = mask.box
    found.equal(`${name} point`, [mask.point], official.point_coords)
    found.equal(`${name} box`, [x0, y0, x1 - x0, y1 - y0], official.bbox)
    found.equal(`${name} area`, Math.abs(mask.area - official.area) <= tolerance.areaPixels, true)
    const scores = [official.predicted_iou, official.stability_score]
    found.close(`${name} scores`, [mask.predictedIou, mask.stability], scores, tolerance.score)
    found.close(`${name} IoU`, [maskIou(mask.mask, official.segmentation)], [1], tolerance.score)
  })
}

/** segment-anything's automatic masks: crops, grids, stability, boxes, runs, suppression, and all of it with a model. */
export const automaticMasks: OwnCase = async (folder) => {
  const golden = await readJson(folder, 'sam_amg_small.json', file)
  const { crop_boxes, point_grids, unit } = golden
  const found = new Findings()
  await wholeRun(golden, folder, found)
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
