import { symbol } from '../../src/graph/dim.js'
import { input } from '../../src/graph/ops/index.js'
import { sizeAt, type Tensor } from '../../src/graph/tensor.js'
import { type BlockHooks, composeHooks } from '../../src/models/block-loop.js'
import { outputOf } from '../../src/models/model-definition.js'
import type { TokenEvent } from '../../src/models/token-history.js'
import { vit } from '../../src/models/vit.js'
import type { VitConfig } from '../../src/models/vit-config.js'
import { crossEntropy } from '../../src/training/objectives/cross-entropy.js'
import type { Built, Ours } from './method.js'

/** A model that reduces tokens, run as the official code was. */
export interface ReducedVit {
  readonly history: readonly TokenEvent[]
  /** `block0_tokens`, …, `token_counts`, `logits`, and the loss of golden gradients. */
  readonly built: Built
}

/** @param more other outputs, read while the blocks are built */
export function reducedVit(
  config: VitConfig,
  hooks: BlockHooks,
  more: () => Readonly<Record<string, Ours>> = () => ({}),
): ReducedVit {
  const blocks: Tensor[] = []
  const looking: BlockHooks = {
    after: ({ tokens }) => {
      blocks.push(tokens)
      return undefined
    },
  }
  const model = vit(config, { hooks: composeHooks(hooks, looking) })
  const logits = outputOf(model, 'classify', 'logits')
  const { history } = model
  const tokens = blocks.map((block, i) => [`block${i}_tokens`, block] as const)
  const targets = input('soft_target', [symbol('batch'), config.classes])
  return {
    history,
    built: {
      loss: crossEntropy(logits, targets),
      outputs: {
        ...Object.fromEntries(tokens),
        token_counts: blocks.map((block) => Number(sizeAt(block, 1))),
        logits,
        ...more(),
      },
    },
  }
}
