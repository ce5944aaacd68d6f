import { onImageNet } from './imagenet.js'
import type { Recipe } from './recipe.js'

/**
 * AdaViT's losses (Meng et al. 2022, §3.4, with the weights of its code): half of the heads, of the halves of blocks and of
 * the tokens shall be taken. For a trained student made by `--set reduction=ada-vit:0.6`. How long and how fast is our choice,
 * not the paper's; 38 million pictures, so take it with `--images` and fewer of them.
 */
export const adaVit: Recipe = {
  about: 'AdaViT: a trained ViT learns which patches, heads and halves of blocks a picture needs',
  stages: [
    onImageNet({
      epochs: 30,
      picturesPerStep: 512,
      learningRate: 5e-4,
      warmUpEpochs: 1,
      loss: { labels: 1, headUsage: 2, layerUsage: 2, tokenUsage: 2 },
    }),
  ],
}
