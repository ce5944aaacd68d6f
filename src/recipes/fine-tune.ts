import type { Recipe } from './recipe.js'

const stage = {
  objective: 'end to end',
  pictures: 10_000,
  batch: 16,
  learningRate: 1e-4,
  layerDecay: 0.8,
  keepRatio: [0.25, 0.375, 0.5, 0.75, 1],
  clipNorm: 1,
} satisfies Partial<Recipe['stages'][number]>

const augmentation = {
  crop: { scale: [0.4, 1] },
  flip: true,
} satisfies Recipe['stages'][number]['augmentation']

/** Validations without a better one after which a fine-tuning stops. */
export const fineTunePatience = 3

/**
 * All of a model learns classes of one's own, from a head that was fitted to what it saw before: `blvit finetune --layers all`
 * takes it with ten times the pictures that there are. Lower layers learn slower: what a million pictures taught them is
 * worth more than what a few hundred can.
 */
export const fineTune: Recipe = {
  about: 'All layers learn classes of one’s own, from a fitted head, at every keep ratio',
  stages: [{ ...stage, augmentation: { ...augmentation, labelSmoothing: 0.1 }, loss: { labels: 1 } }],
}

/** The same of pictures that may show several of the classes, or none: each class is learned for itself. */
export const fineTuneSeveral: Recipe = {
  about: 'All layers learn several labels a picture, from a fitted head, at every keep ratio',
  stages: [{ ...stage, augmentation, loss: { severalLabels: 1 } }],
}
