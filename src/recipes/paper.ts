import { onImageNet } from './imagenet.js'
import type { Recipe } from './recipe.js'

/**
 * The training of the paper (spec §5): DeiT's, with 2.5·(1 − cos) of the tokens beside the labels, P-blocks pretrained,
 * one keep ratio. 384 million pictures: months on a desktop processor, so take it with `--images` and fewer of them, and
 * change what an ablation changes with `--set` (semi_cross=false, selection=random, little=null, …).
 */
export const paper: Recipe = {
  about: 'The paper’s recipe: labels and feature distillation at one keep ratio',
  stages: [
    onImageNet({
      epochs: 300,
      learningRate: 5e-4,
      warmUpEpochs: 5,
      keepRatio: 0.25,
      stochasticDepth: 0.1,
      loss: { labels: 1, tokens: 2.5 },
    }),
  ],
}
