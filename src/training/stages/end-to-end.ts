import { z } from 'zod'
import { BlvitError } from '../../errors/blvit-error.js'
import { symbol } from '../../graph/dim.js'
import {
  add,
  affine,
  atLeast,
  divideBySize,
  input,
  logarithm,
  multiply,
  reduceSum,
  reshape,
  slice,
} from '../../graph/ops/index.js'
import { sizeAt, type Tensor } from '../../graph/tensor.js'
import type { Architecture } from '../../models/architecture.js'
import type { Selection } from '../../models/model-definition.js'
import { cosineDistance, crossEntropy, klDivergence } from '../objectives/index.js'
import { type Teacher, teacher as teacherOf } from '../teacher.js'
import type { StageGraph, StageKind } from './stage-kind.js'

const weight = z.number().min(0).default(0)

const weightsSchema = z.strictObject({
  /** Cross-entropy with the labels, which the pictures then must have. */
  labels: weight,
  /** λ: `1 − cos` of all tokens after the final norm (spec §5). */
  tokens: weight,
  /** `1 − cos` of the class token alone, which is one of 197 otherwise. */
  classToken: weight,
  /** KL divergence of the class distributions. */
  logits: weight,
  /** Of the predictors' scores and the teacher's late class attention. */
  ranking: weight,
})

const schema = z.strictObject({
  objective: z.literal('end to end'),
  loss: weightsSchema,
  /** Softens both distributions of `logits`. */
  temperature: z.number().positive().default(1),
})

type EndToEnd = z.infer<typeof schema>
type Part = keyof EndToEnd['loss']
const fromTeacher = ['tokens', 'classToken', 'logits', 'ranking'] as const satisfies readonly Part[]

/** The name of the input that holds what the labels say. `[batch, classes]` */
export const targetsInput = 'targets'

// A softmax in float32 can reach 0, whose logarithm is no number.
const leastScore = 1e-12

/** Cross-entropy of the scores of all selections with a distribution over the patches. @returns `[1]` */
function rankingLoss(selections: readonly Selection[], target: Tensor): Tensor {
  const losses = selections.map(({ scores }) => {
    const logs = multiply(target, logarithm(atLeast(scores, leastScore)))
    return affine(divideBySize(reshape(reduceSum(logs), [1]), sizeAt(target, 0)), { factor: -1 })
  })
  const [first, ...others] = losses
  if (!first) throw new Error('blvit bug: a student without selections')
  return affine(others.reduce(add, first), { factor: 1 / losses.length })
}

function misfits(student: Architecture, teacher: Architecture): string[] {
  const keys = ['image_size', 'patch_size', 'in_chans', 'embed_dim', 'num_classes', 'distilled'] as const
  return keys.filter((key) => JSON.stringify(student.json[key]) !== JSON.stringify(teacher.json[key]))
}

function fittingTeacher(student: Architecture, teacher: Architecture | undefined): Teacher {
  if (!teacher) throw new Error('blvit bug: this stage needs a teacher')
  const differing = misfits(student, teacher)
  if (differing.length > 0) {
    const list = differing.map((key) => `${key} ${teacher.json[key]}, not ${student.json[key]}`).join('; ')
    const message = `The teacher doesn't fit the student: it has ${list}. Give another with --teacher.`
    throw new BlvitError('SHAPE_MISMATCH', message, { differing })
  }
  return teacherOf(teacher)
}

function weightedSum(parts: Readonly<Partial<Record<Part, Tensor>>>, weights: EndToEnd['loss']): Tensor {
  const terms = Object.entries(parts).map(([part, loss]) => affine(loss, { factor: weights[part as Part] }))
  const [first, ...others] = terms
  if (!first) {
    throw new BlvitError('BAD_OPTION', 'A stage "end to end" needs a loss: all its weights are 0.')
  }
  return others.reduce(add, first)
}

/** The whole student learns at once: from labels, from a teacher's answers and tokens, at any keep ratio. */
export const endToEndStage = {
  schema,
  needsTeacher: ({ loss }) => fromTeacher.some((part) => loss[part] > 0),
  build: ({ student, teacher }, { loss: weights, temperature }): StageGraph => {
    const { outputs, selections, sizes } = student.build()
    const { logits, features } = outputs
    const wanted = (part: Part) => weights[part] > 0
    const model = fromTeacher.some(wanted) ? fittingTeacher(student, teacher) : undefined
    const parts: Partial<Record<Part, Tensor>> = {}
    if (wanted('labels')) {
      const targets = input(targetsInput, [symbol('batch'), student.classes])
      parts.labels = crossEntropy(logits, targets)
    }
    if (model && wanted('tokens')) parts.tokens = cosineDistance(features, model.features)
    if (model && wanted('classToken')) {
      const [own, wantedToken] = [features, model.features].map((x) => slice(x, { axis: 1, end: 1 }))
      if (own && wantedToken) parts.classToken = cosineDistance(own, wantedToken)
    }
    if (model && wanted('logits')) parts.logits = klDivergence(logits, model.logits, { temperature })
    const learnable = student.json.selection === 'predictor' ? selections : []
    if (model && wanted('ranking') && learnable.length > 0)
      parts.ranking = rankingLoss(learnable, model.lateAttention)
    return { loss: weightedSum(parts, weights), reports: reportsOf(parts), sizes }
  },
  learns: () => true,
} satisfies StageKind<EndToEnd>

/** In the names of a log. */
function reportsOf(parts: Readonly<Partial<Record<Part, Tensor>>>): Record<string, Tensor> {
  const named = Object.entries(parts).map(([part, loss]) => [
    part === 'classToken' ? 'class_token' : part,
    loss,
  ])
  return Object.fromEntries(named)
}
