import { z } from 'zod'
import { symbol } from '../../../src/graph/dim.js'
import { add, input, scaleShift, slice } from '../../../src/graph/ops/index.js'
import { sizeAt, type Tensor } from '../../../src/graph/tensor.js'
import { type BlockHooks, composeHooks } from '../../../src/models/block-loop.js'
import { outputOf } from '../../../src/models/model-definition.js'
import { vit } from '../../../src/models/vit.js'
import { patchCount, type VitConfig } from '../../../src/models/vit-config.js'
import { evoVitNames } from '../../../src/models/vit-names.js'
import { slowFastEvolution } from '../../../src/reduction/evo-vit.js'
import type { Selection } from '../../../src/reduction/evo-vit-selections.js'
import { crossEntropy } from '../../../src/training/objectives/index.js'
import { goldenMethod, positionsOf, vitConfig, vitOf } from '../method.js'

const config = vitConfig.extend({
  /** α of each block. */
  tradeoff: z.array(z.number()),
  /** ρ of each block. */
  prune_ratio: z.array(z.number()),
  prunecls: z.boolean(),
  stage_wise_prune: z.boolean(),
})

type Config = z.output<typeof config>

// wired into the official code
const stageStarts = [4, 8] as const

/** Its choices, as the official code makes them. */
function selectionsOf(given: Config, patches: number): readonly Selection[] {
  const kept = (block: number) => Math.floor(patches * (given.prune_ratio[block] ?? 1))
  if (given.stage_wise_prune) {
    return stageStarts.map((first, i) => ({
      first,
      last: (stageStarts[i + 1] ?? given.depth) - 1,
      kept: kept(first),
    }))
  }
  const blocks = Array.from({ length: given.depth }, (_, block) => block).slice(stageStarts[0])
  return blocks
    .filter((block) => (given.prune_ratio[block] ?? 1) < 1)
    .map((block) => ({ first: block, last: block, kept: kept(block) }))
}

export const evoVitMethod = goldenMethod(config, (given, facts) => {
  const shape: VitConfig = { ...vitOf(given, facts), pooling: 'mean', finalNorm: 'pooled' }
  const { classes, layerNormEpsilon: epsilon } = shape
  const hooks = slowFastEvolution(selectionsOf(given, patchCount(shape)), {
    depth: given.depth,
    tradeoff: (block) => given.tradeoff[block] ?? 1,
    representative: false,
    pruned: given.prunecls,
    classHead: { classes, epsilon },
  })
  const seen: Record<string, Tensor> = {}
  const counts: number[] = []
  const orders = new Set<Tensor>()
  /** Before those that waited come back. */
  const lookingFirst: BlockHooks = {
    after: ({ tokens }, { layer }) => {
      seen[`block${layer - 1}_slow_tokens`] = tokens
      counts.push(Number(sizeAt(tokens, 1)))
      return undefined
    },
  }
  const lookingAfter: BlockHooks = {
    before: ({ aside }) => {
      const { order, attention } = aside ?? {}
      if (!order || !attention || orders.has(order)) return undefined
      seen[`select${orders.size}_order`] = order
      seen[`select${orders.size}_scores_sorted`] = attention
      orders.add(order)
      return undefined
    },
    between: (_, { layer, attention }) => {
      const row = slice(attention.clsRow(), { axis: 1, start: 1 })
      seen[`block${layer - 1}_cls_attn_sum`] = scaleShift(row, { scale: attention.heads })
      return undefined
    },
  }
  const all = composeHooks(lookingFirst, hooks, lookingAfter)
  const model = vit(shape, { hooks: all.training ?? all })
  const logits = outputOf(model, 'classify', 'logits')
  const [classLogits] = model.training?.answers ?? []
  if (!classLogits) throw new Error('Evo-ViT without its second head')
  const targets = input('soft_target', [symbol('batch'), classes])
  const half = (answer: Tensor) => scaleShift(crossEntropy(answer, targets), { scale: 0.5 })
  return {
    loss: add(half(logits), half(classLogits)),
    names: evoVitNames,
    positions: positionsOf(given, facts),
    outputs: {
      ...seen,
      logits,
      feature: outputOf(model, 'head', 'head_input'),
      slow_token_counts: counts,
      train_logits_avg: logits,
      train_logits_cls: classLogits,
    },
  }
})
