import { BlvitError } from '../base/blvit-error.js'
import { seededRandom } from '../base/random.js'
import type { DataItem } from '../data/data-set.js'
import { openDataSet } from '../data/open-data-set.js'
import { shuffled } from '../data/shuffle.js'
import type { AugmentationInput } from '../image/augment/augmentation.js'
import type { Preprocessing } from '../image/preprocessing.js'

/** How far a training has come in its data: so many items of the shuffled epoch have been used or left out. */
export interface DataPosition {
  /** Counts passes through the data from 0. */
  readonly epoch: number
  readonly index: number
}

/** Everything that decides which pictures come, in which order and what is done to them. */
export interface PictureStreamOptions {
  /** Folders, tars, labels.csv, CIFAR-10; globs too. */
  readonly data: readonly string[]
  /** The model's, in class order. */
  readonly labels: readonly string[]
  readonly preprocessing: Preprocessing
  /** Names of items that are left out. Default: none. */
  readonly without?: readonly string[] | undefined
  /** Default `crop-flip`. */
  readonly augmentation?: AugmentationInput | undefined
  /** Leave out the pictures that have no label, and deliver targets of their one label or of several. Default: neither. */
  readonly labelled?: 'one' | 'several' | undefined
  readonly seed: number
  readonly from: DataPosition
}

/** An item of the stream, and its place in it, on which all of its randomness depends. */
export interface PictureTask {
  readonly item: DataItem
  readonly at: DataPosition
}

/**
 * Pictures without end, not decoded yet: the data again and again, shuffled anew each time.
 * The same options give the same order, from wherever the stream begins.
 * @throws BlvitError `NOT_FOUND`, `BAD_DATA`
 */
export async function* pictureStream(options: PictureStreamOptions): AsyncGenerator<PictureTask> {
  const { data, labels, labelled, without, seed, from } = options
  const dataSet = await openDataSet(data, {
    ...{ labels: labelled ? labels : ('ignored' as const), several: labelled === 'several', without },
  })
  for (let epoch = from.epoch; ; epoch++) {
    let index = -1
    const random = seededRandom(seed, 'order', epoch)
    for await (const item of shuffled(dataSet.items(), random)) {
      index += 1
      if (epoch === from.epoch && index < from.index) continue
      yield { item, at: { epoch, index } }
    }
    if (index < 0) throw new BlvitError('BAD_DATA', `${dataSet.name} holds no pictures.`)
  }
}
