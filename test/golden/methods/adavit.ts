import { z } from 'zod'
import { symbol } from '../../../src/graph/dim.js'
import { add, concat, equal, input, reshape, scaleShift, table } from '../../../src/graph/ops/index.js'
import { sizeAt, type Tensor } from '../../../src/graph/tensor.js'
import { type BlockHooks, composeHooks, trainingHooks } from '../../../src/models/block-loop.js'
import { outputOf } from '../../../src/models/model-definition.js'
import { t2tVit } from '../../../src/models/t2t.js'
import { vit } from '../../../src/models/vit.js'
import { adaVitNames } from '../../../src/models/vit-names.js'
import { adaptiveComputation } from '../../../src/reduction/ada-vit.js'
import type { AdaVitOptions, Noise } from '../../../src/reduction/ada-vit-decisions.js'
import { allDecisions, type BlockDecisions, type Decision } from '../../../src/reduction/ada-vit-decisions.js'
import { type AdaVitLossOptions, adaVitLosses } from '../../../src/reduction/ada-vit-losses.js'
import { crossEntropy } from '../../../src/training/objectives/cross-entropy.js'
import { type Built, type CaseFacts, goldenMethod, positionsOf, vitConfig, vitOf } from '../method.js'
import { t2tConfig, t2tOf, t2tPositions } from '../t2t-like.js'

const config = t2tConfig.extend({
  ...vitConfig.pick({ patch_size: true }).shape,
  use_t2t: z.boolean(),
  ada_head: z.boolean(),
  ada_layer: z.boolean(),
  ada_token: z.boolean(),
  ada_token_with_mlp: z.boolean(),
  keep_layers: z.int(),
  qkv_bias: z.boolean(),
})

type Config = z.output<typeof config>

function optionsOf(given: Config): AdaVitOptions {
  return {
    tokens: given.ada_token,
    heads: given.ada_head,
    layers: given.ada_layer,
    keepLayers: given.keep_layers,
    tokenThreshold: 0.6,
    threshold: 0.5,
    tokensSkipMlp: given.ada_token_with_mlp,
    start: 0,
  }
}

const official = { tokens: 'token', heads: 'head', layers: 'layer' } as const
const recordedNoise: Noise = (block, about, shape) => input(`noise_block${block}_${official[about]}`, shape)

function modelOf(given: Config, facts: CaseFacts, { training }: { training: boolean }) {
  const own = adaptiveComputation(optionsOf(given), { depth: given.depth, noise: recordedNoise })
  const blocks: Tensor[] = []
  let decisions: readonly BlockDecisions[] = []
  const looking: BlockHooks = {
    after: ({ tokens }) => {
      blocks.push(tokens)
      return undefined
    },
    pool: (state) => {
      decisions = allDecisions(state, given.depth)
      return undefined
    },
  }
  const both = composeHooks(own, looking)
  const hooks = training ? trainingHooks(both) : both
  const model = given.use_t2t
    ? t2tVit(t2tOf(given, facts), { hooks })
    : vit(vitOf({ ...given, distilled: false, class_token: true, eps: given.ln_eps }, facts), { hooks })
  return { model, blocks, decisions, logits: outputOf(model, 'classify', 'logits') }
}

/** Decisions as official results have them, blocks side by side. `[batch, blocks, things]` */
function sideBySide(all: readonly (Decision | undefined)[], what: keyof Decision): Tensor | undefined {
  const blocks = all.flatMap((decision) => (decision ? [decision[what]] : []))
  if (blocks.length === 0) return undefined
  const rows = blocks.map((x) => reshape(x, [sizeAt(x, 0), 1, sizeAt(x, 1)]))
  return concat(rows, { axis: 1 })
}

function named(prefix: string, decisions: readonly BlockDecisions[]): Record<string, Tensor> {
  const found = (['heads', 'layers', 'tokens'] as const).flatMap((about) =>
    (['taken', 'logits'] as const).flatMap((what) => {
      const tensor = sideBySide(
        decisions.map((block) => block[about]),
        what,
      )
      return tensor ? [[`${prefix}${official[about]}_${what === 'taken' ? 'select' : 'logits'}`, tensor]] : []
    }),
  )
  return Object.fromEntries(found)
}

/** Of labels that are fed as class numbers. `[batch, classes]` */
function targetsOf(labels: string, classes: number): Tensor {
  const numbers = reshape(input(labels, [symbol('batch')]), [symbol('batch'), 1])
  return equal(
    numbers,
    table(
      Array.from({ length: classes }, (_, i) => i),
      [1, classes],
    ),
  )
}

/** The official class's own defaults, which its command line sets to nothing. */
const classDefaults: AdaVitLossOptions = {
  heads: { diversity: 0.1, entropy: 0.1, minimum: 0.1, least: 0.4 },
  layers: { diversity: 0.1, entropy: 0.1, minimum: 0.1, least: 0.4 },
  tokens: { minimum: 1, least: 0.6 },
}

/** CE, Lh, Ll, Lt; what isn't decided about is 0. */
function partsOf(
  { logits, decisions }: ReturnType<typeof modelOf>,
  targets: Tensor,
  options?: AdaVitLossOptions,
): readonly Tensor[] {
  const { headUsage, layerUsage, tokenUsage } = adaVitLosses(decisions, options)
  const task = crossEntropy(logits, targets)
  const nothing = scaleShift(task, { scale: 0 })
  return [task, headUsage ?? nothing, layerUsage ?? nothing, tokenUsage ?? nothing]
}

function totalOf(parts: readonly Tensor[]): Tensor {
  return parts.map((part, i) => (i === 0 ? part : scaleShift(part, { scale: 2 }))).reduce(add)
}

function positionsFor(given: Config, facts: CaseFacts): Built['positions'] {
  return given.use_t2t
    ? t2tPositions(given, facts)
    : positionsOf({ ...given, distilled: false, class_token: true, eps: given.ln_eps }, facts)
}

/** AdaViT on T2T-ViT and on DeiT, run and trained. */
export const adaVitMethod = goldenMethod(config, (given, facts) => {
  const running = modelOf(given, facts, { training: false })
  const learning = modelOf(given, facts, { training: true })
  const labels = targetsOf('labels', given.num_classes)
  const [usual, full] = [partsOf(learning, labels), partsOf(learning, labels, classDefaults)]
  return {
    names: adaVitNames,
    positions: positionsFor(given, facts),
    loss: totalOf(partsOf(learning, targetsOf('soft_target', given.num_classes))),
    outputs: {
      logits: running.logits,
      ...named('', running.decisions),
      ...Object.fromEntries(running.blocks.map((tokens, i) => [`block${i}_tokens`, tokens])),
      train_logits: learning.logits,
      ...named('train_', learning.decisions),
      train_loss: totalOf(usual),
      train_loss_parts: concat(usual, { axis: 0 }),
      train_loss_full: totalOf(full),
      train_loss_full_parts: concat(full, { axis: 0 }),
    },
  }
})
