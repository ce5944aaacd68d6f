import { BlvitError } from '../base/blvit-error.js'
import { scope } from '../graph/scope.js'
import type { Tensor } from '../graph/tensor.js'
import type { Architecture } from '../models/architecture.js'
import type { BlockHooks } from '../models/block-loop.js'
import { outputOf } from '../models/model-definition.js'
import { vit } from '../models/vit.js'
import { prefixCount } from '../models/vit-config.js'
import { readVitShape } from '../models/vit-json.js'
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

/** @throws BlvitError `UNSUPPORTED` for a teacher that is no plain ViT */
export function teacher(architecture: Architecture): Teacher {
  if (architecture.family !== 'vit') {
    const message = `The teacher is a ${architecture.family}; only a plain ViT or DeiT can teach. Give one with --teacher.`
    throw new BlvitError('UNSUPPORTED', message, { family: architecture.family })
  }
  const config = readVitShape(architecture.json)
  return scope(scopeName, () => {
    const attentions: Tensor[] = []
    const looking: BlockHooks = {
      after: (_, { layer, attention }) => {
        if (isLate(layer, config)) attentions.push(attention.clsRow())
        return undefined
      },
    }
    const model = vit({ family: 'vit', ...config }, { hooks: looking })
    const logits = outputOf(model, 'classify', 'logits')
    const features = outputOf(model, 'embed', 'features')
    return { logits, features, lateAttention: lateAttention(attentions, prefixCount(config)) }
  })
}
