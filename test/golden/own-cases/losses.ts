import { z } from 'zod'
import { input } from '../../../src/graph/ops/index.js'
import type { Tensor } from '../../../src/graph/tensor.js'
import { cosineDistance } from '../../../src/training/objectives/cosine-distance.js'
import { diceLoss, focalLoss, overlapOfMasks } from '../../../src/training/objectives/mask-losses.js'
import { meanSquaredError } from '../../../src/training/objectives/squared-error.js'
import { evaluateTensors, type Values } from '../../support/evaluate.js'
import { Findings, type OwnCase } from './findings.js'
import { readJson } from './read-json.js'

const maps = z.array(z.array(z.array(z.number())))
const features = z.array(maps)

const file = z.looseObject({
  logits: maps,
  targets: maps,
  focal: z.array(z.number()),
  dice: z.array(z.number()),
  combined_20_1: z.array(z.number()),
  iou: z.array(z.number()),
  feat_a: features,
  feat_b: features,
  fd_loss: z.number(),
  mse: z.number(),
  tolerance: z.number(),
})

const names = ['logits', 'targets', 'student', 'teacher'] as const

/** Rows as the interpreter takes them. */
function numbersOf(rows: readonly (readonly number[])[]): Values {
  return { shape: [rows.length, rows[0]?.length ?? 0], data: Float64Array.from(rows.flat()) }
}

/** `[batch, channels, height, width]` as tokens `[batch · places, channels]`. */
function tokensOf(maps4: z.output<typeof features>): number[][] {
  return maps4.flatMap((channels) => {
    const flat = channels.map((rows) => rows.flat())
    return (flat[0] ?? []).map((_, place) => flat.map((channel) => channel[place] ?? Number.NaN))
  })
}

/** Losses of masks and features, in float64. */
export const losses: OwnCase = async (folder) => {
  const golden = await readJson(folder, 'losses.json', file)
  const found = new Findings()
  const flat = (some: z.output<typeof maps>) => numbersOf(some.map((rows) => rows.flat()))
  const leaves = {
    ...{ logits: flat(golden.logits), targets: flat(golden.targets) },
    ...{ student: numbersOf(tokensOf(golden.feat_a)), teacher: numbersOf(tokensOf(golden.feat_b)) },
  }
  const tensors = names.map((name) => input(name, [...leaves[name].shape]))
  const [logits, targets, student, teacher] = tensors as [Tensor, Tensor, Tensor, Tensor]
  const [focal, dice, iou, distance, squares] = evaluateTensors(
    [
      ...[focalLoss(logits, targets), diceLoss(logits, targets), overlapOfMasks(logits, targets)],
      ...[cosineDistance(student, teacher), meanSquaredError(student, teacher)],
    ],
    leaves,
  ).map(({ data }) => [...data])
  found.close('focal', focal ?? [], golden.focal, golden.tolerance)
  found.close('dice', dice ?? [], golden.dice, golden.tolerance)
  const combined = (focal ?? []).map((loss, mask) => 20 * loss + (dice?.[mask] ?? Number.NaN))
  found.close('20 · focal + dice', combined, golden.combined_20_1, golden.tolerance)
  // the file has these in float32
  found.close('IoU', iou ?? [], golden.iou, 1e-7)
  found.close('distance of features', distance ?? [], [golden.fd_loss], golden.tolerance)
  found.close('squared error', squares ?? [], [golden.mse], golden.tolerance)
  return found
}
