import type { Recipe } from './recipe.js'

const imageNet = 1_281_167
const epochs = 300
// The paper's step. 1,024 at once want 100 GB and more; 16 fit where a ViT-B can be trained at all.
const picturesPerStep = 1024
const batch = 16

/**
 * The training of the paper (spec §5): DeiT's, with 2.5·(1 − cos) of the tokens beside the labels, P-blocks pretrained,
 * one keep ratio. 384 million pictures: months on a desktop processor, so take it with `--images` and fewer of them, and
 * change what an ablation changes with `--set` (semi_cross=false, selection=random, little=null, …).
 */
export const paper: Recipe = {
  about: 'The paper’s recipe: labels and feature distillation at one keep ratio',
  stages: [
    {
      objective: 'end to end',
      pictures: epochs * imageNet,
      batch,
      accumulate: picturesPerStep / batch,
      learningRate: 5e-4,
      warmUp: 5 / epochs,
      weightDecay: 0.05,
      keepRatio: 0.25,
      augmentation: 'deit',
      stochasticDepth: 0.1,
      loss: { labels: 1, tokens: 2.5 },
    },
  ],
}
