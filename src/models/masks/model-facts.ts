import type { Architecture } from '../architecture.js'
import type { FamilyFacts } from '../facts.js'
import type { PartPatterns } from '../vit-facts.js'

const parts: PartPatterns = [
  ['predictors', /^image_encoder\.predictors\./],
  ['littleBlocks', /^image_encoder\.blocks\.\d+\.little\./],
  ['gates', /^image_encoder\.blocks\.\d+\.(alpha|gamma)[12]$/],
  ['patchEmbedding', /^image_encoder\.patch_embed\./],
  ['tokens', /^image_encoder\.pos_embed$/],
  ['blocks', /^image_encoder\.blocks\./],
  ['head', /^(image_encoder\.neck|prompt_encoder|mask_decoder)\./],
]

/** What is said alike of all models whose encoder is a ViT and that cut things out of pictures. */
export function encoderFacts(
  { depth, width }: { readonly depth: number; readonly width: number },
  { mlp }: { readonly mlp: string },
): Omit<FamilyFacts, 'masks' | 'names' | 'isUnread'> {
  return {
    ...{ depth, width, classToken: false, distilled: false, projection: undefined },
    partOf: (name) => parts.find(([, pattern]) => pattern.test(name))?.[0] ?? 'other',
    layerOf: (parameter) => {
      if (/^image_encoder\.(pos_embed|patch_embed\.)/.test(parameter)) return 0
      const [, block] = /^image_encoder\.blocks\.(\d+)\./.exec(parameter) ?? []
      return block === undefined ? depth + 1 : Number(block) + 1
    },
    blockScopes: (layer) => ({
      block: `image_encoder.blocks.${layer - 1}`,
      rows: `image_encoder.blocks.${layer - 1}.${mlp}`,
    }),
    isDecayed: ({ name, shape }) =>
      shape.length > 1 &&
      !/(pos_embed|rel_pos_[hw]|_embed\.weight|_embeddings(\.\d)?\.weight|invalid_points\.weight|_tokens?\.weight)$/.test(
        name,
      ),
    heads: [],
    positionEmbedding: undefined,
  }
}

/** A picture, and a click in it, with what is put beside the click. @param points all of them */
export function oneClick({ points }: { readonly points: number }): NonNullable<Architecture['usualRun']> {
  return { programs: ['encode', 'decode'], sizes: { prompts: 1, points } }
}
