import type { Recipe } from './recipe.js'

/**
 * SAM's own losses (Kirillov et al. 2023, appendix A) on pictures with masks in COCO's form, with colours and crops varied
 * because such sets are small. For small models from nothing (`blvit init sam-micro`), and to go on with large ones.
 */
export const segment: Recipe = {
  about: 'Masks of objects that clicks and boxes ask for',
  stages: [
    {
      objective: 'masks',
      pictures: 64_000,
      batch: 16,
      learningRate: 8e-4,
      weightDecay: 0.1,
      clipNorm: 1,
      augmentation: {
        crop: { scale: [0.3, 1], ratio: [3 / 4, 4 / 3] },
        flip: true,
        colorJitter: { brightness: 0.2, contrast: 0.2, saturation: 0.2 },
      },
      loss: { focal: 20, dice: 1, overlap: 1 },
    },
  ],
}

/**
 * As the paper trains its big.LITTLE encoders (§4.2): SAM's losses, and 2.5 times the distance of the embeddings to those of the
 * model that it was made of.
 */
export const distillSegmenter: Recipe = {
  about: 'A big.LITTLE encoder from a plain one: masks, and the embeddings of its teacher',
  stages: [
    {
      ...segment.stages[0],
      objective: 'masks',
      pictures: 64_000,
      learningRate: 5e-4,
      loss: { focal: 20, dice: 1, overlap: 1, features: 2.5 },
    },
  ],
}

/** As MobileSAM's encoder learned ("decoupled distillation"): from embeddings alone, so that any pictures do; all else stays. */
export const distillEncoder: Recipe = {
  about: "An encoder that makes its teacher's embeddings, from pictures without masks",
  stages: [
    {
      objective: 'masks',
      pictures: 64_000,
      batch: 8,
      learningRate: 5e-4,
      clipNorm: 1,
      augmentation: { crop: { scale: [0.3, 1], ratio: [3 / 4, 4 / 3] }, flip: true },
      loss: { featureError: 1 },
      parameters: [
        { match: String.raw`^image_encoder\.`, learningRateScale: 1 },
        { match: '.', frozen: true },
      ],
    },
  ],
}
