import { symbol } from '../../../src/graph/dim.js'
import { input, slice, unfold } from '../../../src/graph/ops/index.js'
import { scope } from '../../../src/graph/scope.js'
import type { Tensor } from '../../../src/graph/tensor.js'
import { outputOf } from '../../../src/models/model-definition.js'
import { t2tVit, tokensToTokens } from '../../../src/models/t2t.js'
import { cuts } from '../../../src/models/t2t-config.js'
import { tokenModules } from '../../../src/models/token-modules/index.js'
import { pixelInput } from '../../../src/models/vit.js'
import { crossEntropy } from '../../../src/training/objectives/cross-entropy.js'
import { goldenMethod } from '../method.js'
import { t2tConfig, t2tOf, t2tPositions } from '../t2t-like.js'

/** T2T-ViT with both of its token modules. */
export const t2tMethod = goldenMethod(t2tConfig, (given, facts) => {
  const config = t2tOf(given, facts)
  const blocks: Record<string, Tensor> = {}
  const model = t2tVit(config, {
    hooks: {
      after: ({ tokens }, { layer }) => {
        blocks[`block${layer - 1}`] = tokens
        return undefined
      },
    },
  })
  const pixels = pixelInput(config)
  const windows = unfold(pixels, cuts[0])
  const looked = scope('tokens_to_token.attention1', () =>
    tokenModules[config.tokenModule](windows, {
      width: config.tokenWidth,
      layerNormEpsilon: config.layerNormEpsilon,
    }),
  )
  const logits = outputOf(model, 'classify', 'logits')
  return {
    loss: crossEntropy(logits, input('soft_target', [symbol('batch'), config.classes])),
    positions: t2tPositions(given, facts),
    outputs: {
      ...blocks,
      split0_row0_first64: slice(slice(windows, { axis: 0, end: 1 }), { axis: 1, end: 64 }),
      attention1: looked,
      tokens: tokensToTokens(pixels, config),
      logits,
    },
  }
})
