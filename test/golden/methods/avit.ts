import { z } from 'zod'
import { defined } from '../../../src/base/assert.js'
import { add, concat, reduceSum, reshape } from '../../../src/graph/ops/index.js'
import type { Tensor } from '../../../src/graph/tensor.js'
import {
  adaptiveTokens,
  type Halting,
  haltingLoss,
  haltingPrior,
  meanScores,
} from '../../../src/reduction/a-vit.js'
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
  const modelOf = (gathered: boolean) => {
    let halting: Halting | undefined
    const { depth, gate_scale: scale, gate_center: center, halt_eps: epsilon } = given
    const hooks = adaptiveTokens({ depth, scale, center, epsilon, gathered }, (told) => {
      halting = told
    })
    const { built } = reducedVit(given, facts, hooks)
    return { built, halting: defined(halting, 'what became of the tokens') }
  }
  // as it is trained: the loss and what the blocks make of halted tokens
  const masked = modelOf(false)
  // as it runs
  const { built, halting } = modelOf(true)
  const { ponder, prior } = haltingLoss(masked.halting, {
    ponderWeight: given.ponder_token_scale,
    priorWeight: given.distr_prior_alpha,
  })
  return {
    ...built,
    loss: add(defined(masked.built.loss, 'the loss of the task'), prior ? add(ponder, prior) : ponder),
    outputs: {
      ...masked.built.outputs,
      logits: defined(built.outputs.logits, 'the logits'),
      token_counts: stacked(
        halting.active.map((mask) => reshape(reduceSum(mask, { axes: [1] }), [mask.shape[0] ?? 0])),
      ),
      mask_layers: stacked(halting.active),
      rho_token: halting.ponder,
      counter_token: halting.counter,
      h_token_layers: stacked(masked.halting.scores),
      halting_score_layer: meanScores(masked.halting),
      distr_target: haltingPrior,
      loss_ponder: ponder,
      ...(prior && { loss_distr_prior: prior }),
    },
  }
})
