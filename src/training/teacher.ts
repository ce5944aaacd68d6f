import { BlvitError } from '../base/blvit-error.js'
import { scope } from '../graph/scope.js'
import type { Tensor } from '../graph/tensor.js'
import type { Architecture } from '../models/architecture.js'
import type { BlockHooks } from '../models/block-loop.js'
import { outputOf } from '../models/model-definition.js'
import { isLate, lateAttention } from './late-attention.js'

const scopeName = 'teacher'

/** What a student can learn from a frozen plain ViT. */
export interface Teacher {
  /** `[batch, classes]`, before softmax */
  readonly logits: Tensor
  /** All tokens after the final norm. `[batch, prefix + patches, width]` */
  readonly features: Tensor
  /** Where the class token looks in the later layers. `[batch, patches]` */
  readonly lateAttention: Tensor
}

/** The name of a teacher's parameter in a graph that it shares with its student. */
export function teachersName(parameter: string): string {
  return `${scopeName}.${parameter}`
}

function withoutClassToken(): BlvitError {
  const message =
    'The teacher has no class token, so it looks nowhere that a ranking could learn from. Give another with --teacher.'
  return new BlvitError('UNSUPPORTED', message)
}

/** @throws BlvitError `UNSUPPORTED` for a teacher that is no plain ViT, and where attention of a class token is asked for that isn't there */
export function teacher(architecture: Architecture): Teacher {
  const { facts, prefix } = architecture
  if (!architecture.takesHooks) {
    const message = `The teacher is a ${architecture.family}; only a plain ViT or DeiT can teach. Give one with --teacher.`
    throw new BlvitError('UNSUPPORTED', message, { family: architecture.family })
  }
  return scope(scopeName, () => {
    const attentions: Tensor[] = []
    const looking: BlockHooks = {
      after: (_, { layer, attention }) => {
        if (isLate(layer, facts)) attentions.push(attention.clsRow())
        return undefined
      },
    }
    const model = architecture.build({ hooks: looking })
    const logits = outputOf(model, 'classify', 'logits')
    const features = outputOf(model, 'embed', 'features')
    return {
      logits,
      features,
      get lateAttention() {
        if (!facts.classToken) throw withoutClassToken()
        return lateAttention(attentions, prefix)
      },
    }
  })
}

/**
 * The embedding of a model that cuts out things, frozen. `[batch, width, rows, columns]`
 * @throws BlvitError `UNSUPPORTED` for a teacher that makes none
 */
export function teachersEmbedding(architecture: Architecture): Tensor {
  return scope(scopeName, () => outputOf(architecture.build(), 'encode', 'image_embeddings'))
}
