import { z } from 'zod'
import { defined } from '../../base/assert.js'
import { BlvitError } from '../../base/blvit-error.js'
import { symbol, times } from '../../graph/dim.js'
import type { Graph } from '../../graph/graph.js'
import { add, input, mapToTokens, scaleShift } from '../../graph/ops/index.js'
import type { Tensor } from '../../graph/tensor.js'
import type { Architecture } from '../../models/architecture.js'
import { type ModelDefinition, outputOf } from '../../models/model-definition.js'
import { checkAlike } from '../likeness.js'
import { cosineDistance, maskLosses, meanSquaredError } from '../objectives/index.js'
import { settingsPlan, trainedSettings } from '../settings-plan.js'
import { teachersEmbedding } from '../teacher.js'
import type { StageGraph, StageKind } from './stage-kind.js'

const weight = z.number().min(0)

const schema = z.strictObject({
  objective: z.literal('masks'),
  /** How much each part counts; what is left out isn't computed. SAM's are focal 20, dice 1, overlap 1. */
  loss: z.strictObject({
    /** Pixels, those that are right already little. */
    focal: weight.default(0),
    /** Whole masks, small ones as much as large ones. */
    dice: weight.default(0),
    /** Squared error of the predicted IoUs. */
    overlap: weight.default(0),
    /** λ: `1 − cos` of the embedding's places, student and teacher (bLViT, §4.2). */
    features: weight.default(0),
    /** Squared error of the embeddings, as MobileSAM's encoder learned. */
    featureError: weight.default(0),
  }),
  /** Objects of each picture that are asked for in a step. */
  prompts: z.int().min(1).max(64).default(4),
  ...trainedSettings,
})

type Masks = z.infer<typeof schema>

/** Inputs of what is true, beside the prompts. */
export const maskTargetInputs = {
  /** 1 where the object is. `[prompts, rows · columns]` */
  masks: 'mask_targets',
  /** 1 where several objects may be meant. `[prompts]` */
  ambiguous: 'ambiguous',
} as const

/** Whether a graph learns from objects, which its pictures then must have. */
export function asksForObjects({ inputs }: Pick<Graph, 'inputs'>): boolean {
  return inputs.some(({ leaf }) => leaf?.name === maskTargetInputs.masks)
}

function learnsFromTeacher({ loss }: Masks): boolean {
  return loss.features > 0 || loss.featureError > 0
}

function learnsFromObjects({ loss }: Masks): boolean {
  return loss.focal > 0 || loss.dice > 0 || loss.overlap > 0
}

/** Parts of the loss that objects decide. */
function objectParts(student: ModelDefinition, { maskRows, maskColumns }: Rows, { loss, prompts }: Masks) {
  const all = times(symbol('batch'), prompts)
  const answers = {
    logits: outputOf(student, 'answer', 'low_res_masks'),
    overlapPredictions: outputOf(student, 'answer', 'iou_predictions'),
    targets: input(maskTargetInputs.masks, [all, maskRows * maskColumns]),
    ambiguous: input(maskTargetInputs.ambiguous, [all]),
  }
  const { masks, overlap, iou } = maskLosses(answers, loss)
  return {
    parts: [
      ...(loss.focal > 0 || loss.dice > 0 ? [{ name: 'masks', loss: masks, weight: 1 }] : []),
      ...(loss.overlap > 0 ? [{ name: 'overlap', loss: overlap, weight: loss.overlap }] : []),
    ],
    iou,
  }
}

interface Rows {
  readonly maskRows: number
  readonly maskColumns: number
}

/** Parts of the loss that a teacher decides. */
function taughtParts(student: ModelDefinition, teacher: Architecture, { loss }: Masks) {
  const own = outputOf(student, 'encode', 'image_embeddings')
  const taught = teachersEmbedding(teacher)
  const places = (map: Tensor) => mapToTokens(map)
  return [
    ...(loss.features > 0
      ? [{ name: 'features', loss: cosineDistance(places(own), places(taught)), weight: loss.features }]
      : []),
    ...(loss.featureError > 0
      ? [{ name: 'feature_error', loss: meanSquaredError(own, taught), weight: loss.featureError }]
      : []),
  ]
}

/**
 * A model that cuts out things learns from objects whose masks are known, from a teacher's embeddings, or both. Objects are
 * asked for once, by a click, a box, or three clicks: there are no rounds in which a further click corrects an answer, and no
 * masks as prompts, whose convolutions stay as they are.
 */
export const masksStage = {
  schema,
  needsTeacher: learnsFromTeacher,
  build: ({ student: architecture, teacher }, stage): StageGraph => {
    const { masks: frame } = architecture.facts
    if (!frame) {
      const message = `A stage "masks" is for models that cut out things (sam-micro, sam-b, …): a ${architecture.family} has no masks.`
      throw new BlvitError('BAD_OPTION', message, { family: architecture.family })
    }
    if (learnsFromObjects(stage) && frame.points !== undefined) {
      const message = `A ${architecture.family} takes ${frame.points} points in its own way, by which no masks are learned here. Give weight to features or featureError alone.`
      throw new BlvitError('UNSUPPORTED', message, { family: architecture.family })
    }
    const student = architecture.build({ promptsPerPicture: stage.prompts })
    const asked = learnsFromObjects(stage) ? objectParts(student, frame, stage) : undefined
    if (learnsFromTeacher(stage))
      checkAlike(architecture, defined(teacher, 'a teacher'), ['image size', 'embedding', 'frame'])
    const taught = learnsFromTeacher(stage) ? taughtParts(student, defined(teacher, 'a teacher'), stage) : []
    const parts = [...(asked?.parts ?? []), ...taught]
    const [first, ...others] = parts.map(({ loss, weight }) => scaleShift(loss, { scale: weight }))
    if (!first) {
      const known = Object.keys(schema.shape.loss.shape).join(', ')
      throw new BlvitError('BAD_OPTION', `A stage "masks" needs a loss: give ${known} a weight.`)
    }
    const reports = Object.fromEntries(parts.map(({ name, loss }) => [name, loss]))
    return {
      loss: others.reduce(add, first),
      reports: { ...reports, ...(asked && { iou: asked.iou }) },
      sizes: student.sizes,
    }
  },
  settings: (stage, student) => settingsPlan(stage, student),
  learns: () => true,
} satisfies StageKind<Masks>
