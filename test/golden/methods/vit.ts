import { symbol } from '../../../src/graph/dim.js'
import { input, reshape, slice } from '../../../src/graph/ops/index.js'
import type { Tensor } from '../../../src/graph/tensor.js'
import type { BlockHooks } from '../../../src/models/block-loop.js'
import { outputOf } from '../../../src/models/model-definition.js'
import { pixelInput, vit } from '../../../src/models/vit.js'
import { patchEmbed } from '../../../src/nn/patch-embed.js'
import { crossEntropy } from '../../../src/training/objectives/cross-entropy.js'
import { hardDistillation, softDistillation } from '../../../src/training/objectives/deit-distillation.js'
import { goldenMethod, positionsOf, vitConfig, vitOf } from '../method.js'

/** timm's ViT and DeiT with its distillation losses. */
export const vitMethod = goldenMethod(vitConfig, (given, facts) => {
  const config = vitOf(given, facts)
  const seen: Record<string, Tensor> = {}
  const looking: BlockHooks = {
    start: ({ tokens }) => {
      seen.embed = tokens
      return undefined
    },
    between: (_, { layer, attention }) => {
      seen[`block${layer - 1}_attn`] = attention.map()
      return undefined
    },
    after: ({ tokens }, { layer }) => {
      seen[`block${layer - 1}`] = tokens
      return undefined
    },
  }
  const model = vit(config, { hooks: looking })
  const [logits, features] = [outputOf(model, 'classify', 'logits'), outputOf(model, 'embed', 'features')]
  const { class_logits: classLogits = logits, distillation_logits: distillationLogits } =
    model.programs.heads ?? {}
  const prefixToken = (index: number) =>
    reshape(slice(features, { axis: 1, start: index, end: index + 1 }), [symbol('batch'), config.width])
  const classes = [symbol('batch'), config.classes]
  const targets = input('soft_target', classes)
  const answers = distillationLogits && {
    classLogits,
    distillationLogits,
    teacherLogits: input('teacher_logits', classes),
    targets,
  }
  return {
    loss: crossEntropy(logits, targets),
    positions: positionsOf(given, facts),
    outputs: {
      ...seen,
      patch_embed: patchEmbed(pixelInput(config), config),
      norm: features,
      logits,
      feat_cls: prefixToken(0),
      logits_cls: classLogits,
      loss_none: crossEntropy(classLogits, targets),
      ...(answers && {
        feat_dist: prefixToken(1),
        logits_dist: answers.distillationLogits,
        loss_hard: hardDistillation(answers),
        loss_soft: softDistillation(answers),
      }),
    },
  }
})
