import { onImageNet } from './imagenet.js'
import type { Recipe } from './recipe.js'

/**
 * A-ViT's (Yin et al. 2022, §4 and its code), for DeiT-Tiny: a trained ViT of 12 blocks learns to halt its tokens, `ponder`
 * soon and `halting` about the eighth block. For a student made by `--set reduction=a-vit:tiny`; the code trains DeiT-Small
 * with `a-vit:small`, 384 pictures a step and a rate of 2.25e-4 (`--lr-scale 0.45`). 128 million pictures, so take it with `--images` and
 * fewer of them. Models of another depth have no `halting`: leave it out in a recipe of your own.
 */
export const aVit: Recipe = {
  about: 'A-ViT: a trained ViT learns after which block each token may halt',
  stages: [
    onImageNet({
      epochs: 100,
      picturesPerStep: 512,
      learningRate: 5e-4,
      warmUpEpochs: 5,
      stochasticDepth: 0.1,
      loss: { labels: 1, ponder: 5e-4, halting: 1e-3 },
    }),
  ],
}
