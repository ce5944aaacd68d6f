import type { Recipe } from './recipe.js'

const imageNet = 1_281_167
const epochs = { layers: 200, stages: 100 }
const picturesPerStep = 1024
const batch = 16

const common = {
  objective: 'end to end',
  batch,
  accumulate: picturesPerStep / batch,
  weightDecay: 0.05,
  augmentation: 'deit',
  stochasticDepth: 0.1,
  loss: { labels: 1 },
} as const

/**
 * Evo-ViT's (Xu et al. 2022, §4.1 and its code): DeiT's from random weights, 200 epochs choosing in each block and 100 in
 * stages, with a second head for the class token. For a student made by `--set global_pool=avg --set
 * reduction=evo-vit:0.5,class-head=true`; 384 million pictures, so take it with `--images` and fewer of them. The code has
 * one cosine over both parts, of which the second begins with a quarter of the rate; here each has its own.
 */
export const evoVit: Recipe = {
  about: 'Evo-ViT’s recipe: patches are chosen in each block, then in stages',
  stages: [
    {
      ...common,
      pictures: epochs.layers * imageNet,
      learningRate: 1e-3,
      warmUp: 5 / epochs.layers,
      reduce: 'evo-vit:0.5,mode=layer,class-head=true',
    },
    {
      ...common,
      pictures: epochs.stages * imageNet,
      learningRate: 2.5e-4,
      warmUp: 0,
      reduce: 'evo-vit:0.5,class-head=true',
    },
  ],
}
