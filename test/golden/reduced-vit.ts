import { symbol } from '../../src/graph/dim.js'
import { input } from '../../src/graph/ops/index.js'
import { sizeAt, type Tensor } from '../../src/graph/tensor.js'
import { type BlockHooks, composeHooks } from '../../src/models/block-loop.js'
import { type ModelDefinition, outputOf } from '../../src/models/model-definition.js'
import type { TokenEvent } from '../../src/models/token-history.js'
import { vit } from '../../src/models/vit.js'
import { crossEntropy } from '../../src/training/objectives/cross-entropy.js'
import { type Built, type CaseFacts, positionsOf, type VitLike, vitOf } from './method.js'

/** A model that reduces tokens, run as the official code was. */
export interface ReducedVit {
  readonly history: readonly TokenEvent[]
  readonly training: ModelDefinition['training']
  /** `block0_tokens`, …, `token_counts`, `logits`, and the loss of golden gradients. */
  readonly built: Built
}

/** The model of a case with some hooks. */
export function reducedVit(given: VitLike, facts: CaseFacts, hooks: BlockHooks): ReducedVit {
  const config = vitOf(given, facts)
  const blocks: Tensor[] = []
  const looking: BlockHooks = {
    after: ({ tokens }) => {
      blocks.push(tokens)
      return undefined
    },
  }
  const model = vit(config, { hooks: composeHooks(hooks, looking) })
  const logits = outputOf(model, 'classify', 'logits')
  const { history, training } = model
  const tokens = blocks.map((block, i) => [`block${i}_tokens`, block] as const)
  const targets = input('soft_target', [symbol('batch'), config.classes])
  return {
    history,
    training,
    built: {
      loss: crossEntropy(logits, targets),
      positions: positionsOf(given, facts),
      outputs: {
        ...Object.fromEntries(tokens),
        token_counts: blocks.map((block) => Number(sizeAt(block, 1))),
        logits,
      },
    },
  }
}
