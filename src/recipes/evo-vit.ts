import { onImageNet } from './imagenet.js'
import type { Recipe } from './recipe.js'

const common = { stochasticDepth: 0.1, loss: { labels: 1 } } as const

/**
 * Evo-ViT's (Xu et al. 2022, §4.1 and its code): DeiT's from random weights, 200 epochs choosing in each block and 100 in
 * stages, with a second head for the class token. For a student made by `--set global_pool=avg --set
 * reduction=evo-vit:0.5,class-head=true`; 384 million pictures, so take it with `--images` and fewer of them. The code has
 * one cosine over both parts, of which the second begins with a quarter of the rate; here each has its own.
 */
export const evoVit: Recipe = {
  about: 'Evo-ViT’s recipe: patches are chosen in each block, then in stages',
  stages: [
    onImageNet({
      ...common,
      epochs: 200,
      warmUpEpochs: 5,
      learningRate: 1e-3,
      reduce: 'evo-vit:0.5,mode=layer,class-head=true',
    }),
    onImageNet({
      ...common,
      epochs: 100,
      learningRate: 2.5e-4,
      reduce: 'evo-vit:0.5,class-head=true',
    }),
  ],
}
