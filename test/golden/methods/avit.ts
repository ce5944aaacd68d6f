import { z } from 'zod'
import { defined } from '../../../src/base/assert.js'
import { add, concat, reduceSum, reshape, scaleShift } from '../../../src/graph/ops/index.js'
import { sizeAt, type Tensor } from '../../../src/graph/tensor.js'
import { type BlockHooks, composeHooks } from '../../../src/models/block-loop.js'
import { adaptiveTokens, haltingPrior } from '../../../src/reduction/a-vit.js'
import { goldenMethod, vitConfig } from '../method.js'
import { reducedVit } from '../reduced-vit.js'

const config = vitConfig
  .extend({
    eps_ln: z.number(),
    halt_eps: z.number(),
    gate_scale: z.number(),
    gate_center: z.number(),
    distr_prior_alpha: z.number(),
    ponder_token_scale: z.number(),
  })
  .transform((given) => ({ ...given, eps: given.eps_ln }))

/** One of each block, in front of the pictures. */
function stacked(blocks: readonly Tensor[]): Tensor {
  return concat(
    blocks.map((x) => reshape(x, [1, ...x.shape])),
    { axis: 0 },
  )
}

export const avitMethod = goldenMethod(config, (given, facts) => {
  const { depth, gate_scale: scale, gate_center: center, halt_eps: epsilon } = given
  const modelOf = (masked: boolean) => {
    const known: Readonly<Record<string, Tensor>>[] = []
    const looking: BlockHooks = {
      after: ({ aside = {} }) => {
        known.push(aside)
        return undefined
      },
    }
    const hooks = adaptiveTokens({ depth, scale, center, epsilon, masked })
    const { built, training } = reducedVit(given, facts, composeHooks(hooks, looking))
    const each = (name: string) => known.map((aside) => defined(aside[name], name))
    const last = (name: string) => defined(known.at(-1)?.[name], name)
    return { built, each, last, losses: training?.losses ?? {} }
  }
  // as it is trained: the loss and what the blocks make of halted tokens
  const learning = modelOf(true)
  // as it runs
  const running = modelOf(false)
  const weighted = (name: string, weight: number) => {
    const loss = learning.losses[name]
    return loss && scaleShift(loss, { scale: weight })
  }
  const ponder = weighted('ponder', given.ponder_token_scale)
  const prior = weighted('halting', given.distr_prior_alpha)
  const task = defined(learning.built.loss, 'the loss of the task')
  const counts = running
    .each('active')
    .map((mask) => reshape(reduceSum(mask, { axes: [1] }), [sizeAt(mask, 0)]))
  return {
    ...running.built,
    loss: [ponder, prior].reduce<Tensor>((sum, loss) => (loss ? add(sum, loss) : sum), task),
    outputs: {
      ...learning.built.outputs,
      logits: defined(running.built.outputs.logits, 'the logits'),
      mask_layers: stacked(running.each('active')),
      token_counts: stacked(counts),
      rho_token: running.last('ponder'),
      counter_token: running.last('counter'),
      h_token_layers: stacked(learning.each('score')),
      halting_score_layer: learning.last('means'),
      distr_target: haltingPrior,
      ...(ponder && { loss_ponder: ponder }),
      ...(prior && { loss_distr_prior: prior }),
    },
  }
})
