import { BlvitError } from '../../base/blvit-error.js'
import { symbol } from '../../graph/dim.js'
import { type Graph, graphOf } from '../../graph/graph.js'
import { add, constant, input, scaleShift, slice } from '../../graph/ops/index.js'
import type { Tensor } from '../../graph/tensor.js'
import type { Architecture } from '../../models/architecture.js'
import { type ModelDefinition, outputOf, programOf } from '../../models/model-definition.js'
import { routesOf } from '../../models/token-history.js'
import type { Likeness } from '../likeness.js'
import {
  binaryCrossEntropy,
  cosineDistance,
  crossEntropy,
  hardDistillation,
  type KeptTokens,
  keptTokenDivergence,
  keptTokenError,
  klDivergence,
  rankingLoss,
} from '../objectives/index.js'
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
  /** In what student and teacher must agree; undefined: no teacher is needed. */
  readonly alike?: readonly Likeness[]
  /** `[1]`; undefined where this student has nothing that it could be made of. */
  loss(context: LossContext): Tensor | undefined
}

/** How many labels a picture may have. */
export type LabelsPerPicture = 'one' | 'several'

/** The name of the input that holds what the labels say, by how many a picture may have. `[batch, classes]` */
export const targetsInputs: Readonly<Record<LabelsPerPicture, string>> = {
  one: 'targets',
  several: 'shown',
}

function targetsOf({ classes }: Architecture, labels: LabelsPerPicture = 'one'): Tensor {
  return input(targetsInputs[labels], [symbol('batch'), classes])
}

/** How many labels a picture may have of which a loss is made; undefined: it is made of none. */
export function labelsAskedFor({ inputs }: Pick<Graph, 'inputs'>): LabelsPerPicture | undefined {
  const names = new Set(inputs.map(({ leaf }) => (leaf?.kind === 'input' ? leaf.name : undefined)))
  return (['one', 'several'] as const).find((labels) => names.has(targetsInputs[labels]))
}

const image = ['image size', 'channels'] as const
const tokens = [...image, 'patch size', 'width', 'prefix tokens'] as const

/** @throws BlvitError `BAD_OPTION` for a student that ends with other tokens than it began with */
function wholeStudent({ student }: LossContext): ModelDefinition {
  if (student.history.every(({ kind }) => kind !== 'reduce')) return student
  throw new BlvitError(
    'BAD_OPTION',
    'A loss of tokens compares those of the student with the teacher’s, but this student lets tokens go. ' +
      'Give weight to "classToken" or "logits" instead.',
  )
}

/** The patches of student and teacher, and which of them the student would keep in a run. */
function keptTokensOf(context: LossContext): KeptTokens {
  const { architecture, teacher } = context
  const patches = (features: Tensor) => slice(features, { axis: 1, start: architecture.prefix })
  const { programs, training } = wholeStudent(context)
  const student = patches(outputOf({ programs }, 'embed', 'features'))
  const kept = training?.kept ?? constant(1, student.shape.slice(0, 2))
  return { student, teacher: patches(teacher().features), kept }
}

/** Of all selections, each `[batch, patches]`. */
function scoresOf({ history }: ModelDefinition): Tensor[] {
  return routesOf(history).map(({ tensors: { scores } }) => scores)
}

/** Whether something in the student learns which patches matter. */
function hasPredictors({ architecture: { facts }, student }: LossContext): boolean {
  const { parameters } = graphOf('student', programOf(student, 'classify'))
  return parameters.some(({ name }) => facts.partOf(name) === 'predictors')
}

/** Every part that a loss `end to end` can have, by the name that recipes weight it with. Adding one is an entry here. */
export const lossParts = {
  /** Cross-entropy with the labels, which the pictures then must have; of all heads alike, where a method has more. */
  labels: {
    loss: ({ architecture, student }) => {
      const targets = targetsOf(architecture)
      const answers = [outputOf(student, 'classify', 'logits'), ...(student.training?.answers ?? [])]
      const losses = answers.map((logits) => crossEntropy(logits, targets))
      return scaleShift(losses.reduce(add), { scale: 1 / losses.length })
    },
  },
  /** Cross-entropy of each class for itself, of pictures that may have several labels, or none. */
  severalLabels: {
    loss: ({ architecture, student }) =>
      binaryCrossEntropy(outputOf(student, 'classify', 'logits'), targetsOf(architecture, 'several')),
  },
  /** λ: `1 − cos` of all tokens after the final norm (spec §5). */
  tokens: {
    alike: tokens,
    loss: (context) =>
      cosineDistance(outputOf(wholeStudent(context), 'embed', 'features'), context.teacher().features),
  },
  /** Squared error of the patches that a method would keep in a run; of all where it lets none go. */
  keptTokens: { alike: tokens, loss: (context) => keptTokenError(keptTokensOf(context)) },
  /** KL divergence of the same, each token's channels taken for a distribution. */
  keptTokenDistributions: {
    alike: tokens,
    loss: (context) => keptTokenDivergence(keptTokensOf(context)),
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
    alike: [...image, 'classes'],
    loss: ({ student, teacher, temperature }) =>
      klDivergence(outputOf(student, 'classify', 'logits'), teacher().logits, { temperature }),
  },
  /** Of the predictors' scores and the teacher's late class attention. */
  ranking: {
    alike: [...image, 'patch size'],
    loss: (context) =>
      hasPredictors(context)
        ? rankingLoss(scoresOf(context.student), context.teacher().lateAttention)
        : undefined,
  },
  /** DeiT's: the class token learns the labels, the distillation token what the teacher takes for the label. */
  hardDistillation: {
    alike: [...image, 'classes'],
    loss: ({ architecture, student, teacher }) => {
      const { class_logits: classLogits, distillation_logits: distillationLogits } =
        student.programs.heads ?? {}
      if (!classLogits || !distillationLogits) {
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
