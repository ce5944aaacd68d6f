import { z } from 'zod'
import { symbol } from '../../../src/graph/dim.js'
import { add, concat, input, reshape, scaleShift, slice } from '../../../src/graph/ops/index.js'
import { sizeAt, type Tensor } from '../../../src/graph/tensor.js'
import { type BlockHooks, composeHooks } from '../../../src/models/block-loop.js'
import { outputOf } from '../../../src/models/model-definition.js'
import { vit } from '../../../src/models/vit.js'
import { patchCount } from '../../../src/models/vit-config.js'
import { tokenSparsification } from '../../../src/reduction/dynamic-vit.js'
import {
  crossEntropy,
  keptTokenDivergence,
  keptTokenError,
  klDivergence,
} from '../../../src/training/objectives/index.js'
import { type Built, type CaseFacts, goldenMethod, positionsOf, vitConfig, vitOf } from '../method.js'

const config = vitConfig.extend({
  /** The blocks that a predictor stands before. */
  pruning_loc: z.array(z.int()),
  /** ρ of each. */
  token_ratio: z.array(z.number()),
})

type Config = z.output<typeof config>

/** What was seen on the way through a model. */
interface Seen {
  readonly blocks: Tensor[]
  readonly logProbabilities: Tensor[]
  readonly decisions: Tensor[]
}

function modelOf(given: Config, facts: CaseFacts, isTraining: boolean) {
  const vitConfig = vitOf(given, facts)
  const seen: Seen = { blocks: [], logProbabilities: [], decisions: [] }
  const stages = given.pruning_loc.map((block, i) => ({ block, share: given.token_ratio[i] ?? 1 }))
  const hooks = tokenSparsification(stages, {
    patches: patchCount(vitConfig),
    noise: (stage, shape) => input(`gumbel${stage}`, shape),
  })
  const looking: BlockHooks = {
    before: ({ aside }, layer) => {
      if (!given.pruning_loc.includes(layer - 1) || !aside) return undefined
      if (aside.logProbabilities) seen.logProbabilities.push(aside.logProbabilities)
      if (aside.kept) seen.decisions.push(aside.kept)
      return undefined
    },
    after: ({ tokens }) => {
      seen.blocks.push(tokens)
      return undefined
    },
  }
  const both = composeHooks(hooks, looking)
  const model = vit(vitConfig, { hooks: isTraining ? (both.training ?? both) : both })
  return { model, seen, config: vitConfig }
}

function named(prefix: string, tensors: readonly Tensor[], suffix = ''): Record<string, Tensor> {
  return Object.fromEntries(tensors.map((tensor, i) => [`${prefix}${i}${suffix}`, tensor]))
}

function classTokens(blocks: readonly Tensor[]): Tensor[] {
  return blocks.map((block) =>
    reshape(slice(block, { axis: 1, end: 1 }), [sizeAt(block, 0), sizeAt(block, 2)]),
  )
}

/** A run: patches are gathered. */
function running(given: Config, facts: CaseFacts): Built {
  const { model, seen } = modelOf(given, facts, false)
  const keeps = model.history.flatMap((event): Tensor[] => {
    const { order } = event.tensors
    if (event.kind !== 'reduce' || !order) return []
    return [slice(order, { axis: 1, end: Number(event.tokensAfter) - 1 })]
  })
  return {
    positions: positionsOf(given, facts),
    outputs: {
      logits: outputOf(model, 'classify', 'logits'),
      ...named('pred', seen.logProbabilities, '_logprob'),
      ...named('pred', keeps, '_keep'),
      ...named('block', classTokens(seen.blocks), '_cls'),
      ...named('block', seen.blocks, '_tokens'),
      token_counts: seen.blocks.map((block) => Number(sizeAt(block, 1))),
    },
  }
}

/** A step of training: all patches stay, masked. */
function learning(given: Config, facts: CaseFacts): Built {
  const { model, seen, config: shape } = modelOf(given, facts, true)
  const logits = outputOf(model, 'classify', 'logits')
  const features = slice(outputOf(model, 'embed', 'features'), { axis: 1, start: 1 })
  const { losses, kept } = model.training ?? {}
  const batch = symbol('batch')
  if (!losses?.ratio || !kept) throw new Error('DynamicViT learns nothing')
  const tokens = {
    student: features,
    teacher: input('teacher_tokens', [batch, patchCount(shape), shape.width]),
    kept,
  }
  const shared = {
    crossEntropy: crossEntropy(logits, input('soft_target', [batch, shape.classes])),
    ratio: losses.ratio,
    divergence: klDivergence(logits, input('teacher_logits', [batch, shape.classes])),
  }
  const total = (tokenLoss: Tensor, ratioWeight: number) =>
    [
      scaleShift(shared.ratio, { scale: ratioWeight }),
      scaleShift(shared.divergence, { scale: 0.5 }),
      scaleShift(tokenLoss, { scale: 0.5 }),
    ].reduce(add, shared.crossEntropy)
  // the official parts have the sum over the stages
  const parts = (tokenLoss: Tensor) =>
    concat(
      [
        shared.crossEntropy,
        scaleShift(shared.ratio, { scale: given.pruning_loc.length }),
        shared.divergence,
        tokenLoss,
      ],
      { axis: 0 },
    )
  const [error, divergence] = [keptTokenError(tokens), keptTokenDivergence(tokens)]
  return {
    loss: total(error, 2),
    positions: positionsOf(given, facts),
    outputs: {
      train_logits: logits,
      train_features: features,
      final_mask: kept,
      ...named('decision', seen.decisions),
      ...named('train_pred', seen.logProbabilities, '_logprob'),
      ...named('train_block', classTokens(seen.blocks), '_cls'),
      loss_deit_mse: total(error, 2),
      loss_deit_mse_parts: parts(error),
      loss_deitb_mse: total(error, 5),
      loss_deitb_mse_parts: parts(error),
      loss_lvvit_kl: total(divergence, 2),
      loss_lvvit_kl_parts: parts(divergence),
    },
  }
}

export const dynamicVitMethod = goldenMethod(config, (given, facts) =>
  facts.inputs.includes('gumbel0') ? learning(given, facts) : running(given, facts),
)
