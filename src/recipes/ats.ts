import { onImageNet } from './imagenet.js'
import type { Recipe } from './recipe.js'

/**
 * ATS's fine-tuning (Fayyaz et al. 2022, §4), which its code doesn't have: a trained ViT goes on learning its labels while
 * patches are sampled. 38 million pictures, so take it with `--images` and fewer of them, and with `--reduce ats:0.5` for
 * another number of samples.
 */
export const ats: Recipe = {
  about: 'ATS: a trained ViT learns to go on with the patches that it samples',
  stages: [
    onImageNet({
      epochs: 30,
      picturesPerStep: 768,
      learningRate: 5e-4,
      reduce: 'ats:1',
      loss: { labels: 1 },
    }),
  ],
}
