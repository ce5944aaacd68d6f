import { BlvitError } from '../../base/blvit-error.js'
import { symbol } from '../../graph/dim.js'
import {
  add,
  divideBySize,
  input,
  logarithm,
  maximum,
  multiply,
  reduceSum,
  reshape,
  scaleShift,
  slice,
} from '../../graph/ops/index.js'
import { sizeAt, type Tensor } from '../../graph/tensor.js'
import type { Architecture } from '../../models/architecture.js'
import { type ModelDefinition, outputOf } from '../../models/model-definition.js'
import { type RouteEvent, routesOf } from '../../models/token-history.js'
import { heads } from '../../models/vit.js'
import { readVitShape } from '../../models/vit-json.js'
import { cosineDistance, crossEntropy, hardDistillation, klDivergence } from '../objectives/index.js'
import type { Teacher } from '../teacher.js'

/** What losses are made of. */
export interface LossContext {
  readonly architecture: Architecture
  readonly student: ModelDefinition
  /** @throws Error where no part needs one */
  readonly teacher: () => Teacher
  /** Softens both class distributions of `logits`. */
  readonly temperature: number
}

/** A part of a loss. */
interface LossPart {
  /** Keys of config.json in which student and teacher must agree; undefined: no teacher is needed. */
  readonly alike?: readonly string[]
  /** `[1]`; undefined where this student has nothing that it could be made of. */
  loss(context: LossContext): Tensor | undefined
}

/** The name of the input that holds what the labels say. `[batch, classes]` */
export const targetsInput = 'targets'

function targetsOf({ classes }: Architecture): Tensor {
  return input(targetsInput, [symbol('batch'), classes])
}

// A softmax in float32 can reach 0, whose logarithm is no number.
const leastScore = 1e-12

/** Cross-entropy of the scores of all selections with a distribution over the patches. @returns `[1]` */
function rankingLoss(routes: readonly RouteEvent[], target: Tensor): Tensor {
  const losses = routes.map(({ tensors: { scores } }) => {
    const logs = multiply(target, logarithm(maximum(scores, leastScore)))
    return scaleShift(divideBySize(reshape(reduceSum(logs), [1]), sizeAt(target, 0)), { scale: -1 })
  })
  const [first, ...others] = losses
  if (!first) throw new Error('blvit bug: a student without selections')
  return scaleShift(others.reduce(add, first), { scale: 1 / losses.length })
}

const image = ['image_size', 'in_chans']
const tokens = [...image, 'patch_size', 'embed_dim', 'distilled']

/** Every part that a loss `end to end` can have, by the name that recipes weight it with. Adding one is an entry here. */
export const lossParts = {
  /** Cross-entropy with the labels, which the pictures then must have. */
  labels: {
    loss: ({ architecture, student }) =>
      crossEntropy(outputOf(student, 'classify', 'logits'), targetsOf(architecture)),
  },
  /** λ: `1 − cos` of all tokens after the final norm (spec §5). */
  tokens: {
    alike: tokens,
    loss: ({ student, teacher }) =>
      cosineDistance(outputOf(student, 'embed', 'features'), teacher().features),
  },
  /** `1 − cos` of the class token alone, which is one of 197 otherwise. */
  classToken: {
    alike: tokens,
    loss: ({ student, teacher }) => {
      const classToken = (features: Tensor) => slice(features, { axis: 1, end: 1 })
      return cosineDistance(
        classToken(outputOf(student, 'embed', 'features')),
        classToken(teacher().features),
      )
    },
  },
  /** KL divergence of the class distributions. */
  logits: {
    alike: [...image, 'num_classes'],
    loss: ({ student, teacher, temperature }) =>
      klDivergence(outputOf(student, 'classify', 'logits'), teacher().logits, { temperature }),
  },
  /** Of the predictors' scores and the teacher's late class attention. */
  ranking: {
    alike: [...image, 'patch_size'],
    loss: ({ architecture, student, teacher }) =>
      architecture.json.selection === 'predictor' && routesOf(student.history).length > 0
        ? rankingLoss(routesOf(student.history), teacher().lateAttention)
        : undefined,
  },
  /** DeiT's: the class token learns the labels, the distillation token what the teacher takes for the label. */
  hardDistillation: {
    alike: [...image, 'num_classes'],
    loss: ({ architecture, student, teacher }) => {
      const { classLogits, distillationLogits } = heads(
        outputOf(student, 'embed', 'features'),
        readVitShape(architecture.json),
      )
      if (!distillationLogits) {
        const message =
          'hardDistillation is for students with a distillation token: take a DeiT, or "distilled": true.'
        throw new BlvitError('BAD_OPTION', message)
      }
      const targets = targetsOf(architecture)
      return hardDistillation({ classLogits, distillationLogits, teacherLogits: teacher().logits, targets })
    },
  },
} satisfies Record<string, LossPart>

export type LossPartName = keyof typeof lossParts

/** A part by its name. */
export function lossPart(name: LossPartName): LossPart {
  return lossParts[name]
}
