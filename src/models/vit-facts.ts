import type { FamilyFacts, NamedShape, PartName } from './facts.js'
import type { VitShape } from './vit-config.js'
import { vitNames } from './vit-names.js'

/** Which parameters, or scopes with a dot behind them, belong to a part. The first that matches counts. */
export type PartPatterns = readonly (readonly [PartName, RegExp])[]

/** Of a plain ViT. */
export const vitParts: PartPatterns = [
  ['patchEmbedding', /^patch_embed\./],
  ['tokens', /^(cls_token|dist_token|reg_token|pos_embed|norm_pre\..*)$/],
  // of reductions that learn to rank and to decide
  ['predictors', /^(score_predictor|blocks\.\d+\.(attn\.token_select|head_select|layer_select))\./],
  ['blocks', /^blocks\.\d+\./],
  ['norm', /^(norm|fc_norm|norm_cls)\./],
  ['head', /^(head|head_dist|head_cls|visual_projection)\./],
]

const embeddings = /(^|\.)(cls_token|dist_token|reg_token|pos_embed|patch_embed\..*|norm_pre\..*)$/

/** Biases, norms and other 1-D tensors, position embedding and prefix tokens aren't decayed (spec §5). */
function isDecayed({ name, shape }: NamedShape): boolean {
  return shape.length > 1 && !/(^|\.)(pos_embed|cls_token|dist_token|reg_token)$/.test(name)
}

/** The facts of a ViT, and with more parts of what stands on it. */
export function vitFacts(shape: VitShape, parts: PartPatterns = vitParts): FamilyFacts {
  const { depth, width, classToken, distilled, projection, embeddedPrefix, distilledHead } = shape
  return {
    ...{ depth, width, classToken, distilled, projection },
    partOf: (name) => parts.find(([, pattern]) => pattern.test(name))?.[0] ?? 'other',
    layerOf: (parameter) => {
      if (embeddings.test(parameter)) return 0
      const [, block] = /(?:^|\.)blocks\.(\d+)\./.exec(parameter) ?? []
      return block === undefined ? depth + 1 : Number(block) + 1
    },
    blockScopes: (layer) => ({ block: `blocks.${layer - 1}`, rows: `blocks.${layer - 1}.mlp.fc1` }),
    isDecayed,
    heads: distilledHead ? ['head', 'head_dist'] : ['head'],
    positionEmbedding:
      embeddedPrefix === undefined
        ? undefined
        : { parameter: 'pos_embed', prefix: embeddedPrefix, resampling: shape.positionResampling },
    names: vitNames,
    isUnread: (parameter) => shape.finalNorm === 'none' && parameter.startsWith('norm.'),
  }
}
