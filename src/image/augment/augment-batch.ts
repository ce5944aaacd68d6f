import type { Random } from '../../base/random.js'
import type { Augmentation } from './augmentation.js'
import { mixBatch, type PictureBatch } from './mixing.js'
import { softTargets } from './soft-targets.js'

export interface BatchToAugment extends PictureBatch {
  /** The classes of each picture; undefined where nobody asks for targets. */
  readonly labels?: readonly (readonly number[])[] | undefined
  readonly classes: number
}

/**
 * What happens to the pictures of a batch together: mixup or cutmix, in place.
 * @param random uniform in [0, 1); the same numbers give the same bits
 * @returns the probabilities that a model should give, `[batch, classes]`; undefined without labels
 */
export function augmentBatch(
  batch: BatchToAugment,
  augmentation: Augmentation,
  random: Random,
): Float32Array | undefined {
  const share = mixBatch(batch, augmentation, random)
  const { labels, classes } = batch
  return labels && softTargets(labels, { classes, labelSmoothing: augmentation.labelSmoothing, share })
}
