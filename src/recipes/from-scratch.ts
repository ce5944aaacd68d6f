import type { Recipe } from './recipe.js'

/**
 * For small models on small pictures, e.g. `blvit init vit-micro` or `micro+16` on CIFAR-10: twenty epochs of 50,000, about
 * an hour and a half for vit-micro on two cores.
 */
export const fromScratch: Recipe = {
  about: 'From random weights and labels alone, small pictures',
  stages: [
    {
      objective: 'end to end',
      pictures: 1_000_000,
      batch: 64,
      learningRate: 1e-3,
      augmentation: { crop: { padding: 4 }, flip: true, labelSmoothing: 0.1 },
      loss: { labels: 1 },
    },
  ],
}
