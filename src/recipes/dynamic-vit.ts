import { onImageNet } from './imagenet.js'
import type { Recipe } from './recipe.js'

const common = {
  learningRate: 1e-3,
  loss: { labels: 1, ratio: 2, logits: 0.5, keptTokens: 0.5 },
} as const

/**
 * DynamicViT's (Rao et al. 2021, §4.1 and its code): predictors learn in a trained ViT, which is the teacher too, five epochs
 * alone and then all but the embeddings of positions and class token. For a student made by
 * `--set reduction=dynamic-vit:0.7`; 38 million pictures, so take it with `--images` and fewer of them. The code gives `ratio`
 * a weight of 5 for ViT-Base.
 */
export const dynamicVit: Recipe = {
  about: 'DynamicViT’s recipe: predictors learn in a trained ViT which patches it needs',
  stages: [
    onImageNet({
      ...common,
      epochs: 5,
      warmUpEpochs: 5,
      parameters: [{ match: '^(?!score_predictor)', frozen: true }],
    }),
    onImageNet({
      ...common,
      epochs: 25,
      parameters: [
        { match: '^(cls_token|pos_embed)$', frozen: true },
        { match: '^score_predictor', learningRateScale: 1 },
        { match: '.', learningRateScale: 0.01 },
      ],
    }),
  ],
}
