import type { DataItem } from '../../data/data-set.js'
import { openDataSet } from '../../data/open-data-set.js'
import { shuffled } from '../../data/shuffle.js'
import { BlvitError } from '../../errors/blvit-error.js'
import { messageAbout } from '../../errors/message-about.js'
import { decodeImage } from '../../image/decode.js'
import { normalise, type Preprocessing } from '../../image/preprocessing.js'
import { randomResizedCrop } from '../../image/random-crop.js'
import { seededRandom } from '../seeded-random.js'

/** How far a training has come in its data: so many items of the shuffled epoch have been used or left out. */
export interface DataPosition {
  /** Counts passes through the data from 0. */
  readonly epoch: number
  readonly index: number
}

/** Everything that decides which pictures come, in which order and how they are cropped. */
export interface PictureStreamOptions {
  /** Folders, tars, labels.csv; globs too. */
  readonly data: readonly string[]
  /** The model's, in class order. */
  readonly labels: readonly string[]
  readonly preprocessing: Preprocessing
  readonly seed: number
  readonly from: DataPosition
}

/** A picture for training, or why it can't be used. */
export type TrainingPicture = { readonly after: DataPosition } & (
  | { /** `[3, height, width]` */ readonly pixels: Float32Array }
  | { readonly complaint: string }
)

/** A picture that is being decoded. In an object, because async generators await what they yield. */
export interface PictureInWork {
  readonly work: Promise<TrainingPicture>
}

/** A seed for each picture of each epoch, so that its crop doesn't depend on what was drawn before. */
function seedOf(seed: number, { epoch, index }: DataPosition): number {
  let mixed = seed ^ 0x9e37_79b9
  for (const part of [epoch, index]) {
    mixed = Math.imul(mixed ^ part, 0x85eb_ca6b)
    mixed ^= mixed >>> 13
  }
  return mixed >>> 0
}

async function trainingPicture(
  item: DataItem,
  { preprocessing, seed, at }: PictureStreamOptions & { readonly at: DataPosition },
): Promise<TrainingPicture> {
  const after = { epoch: at.epoch, index: at.index + 1 }
  try {
    if ('error' in item) throw item.error
    const decoded = await decodeImage(item.source)
    const cropped = randomResizedCrop(decoded, preprocessing, seededRandom(seedOf(seed, at)))
    return { after, pixels: normalise(cropped, preprocessing) }
  } catch (thrown) {
    if (!(thrown instanceof BlvitError)) throw thrown
    return { after, complaint: messageAbout(item.name, thrown.message) }
  }
}

/**
 * Pictures without end: the data again and again, shuffled anew each time, each cropped and mirrored at random.
 * The same options give the same pictures to the bit, from wherever the stream begins.
 * @throws BlvitError `NOT_FOUND`, `BAD_DATA`
 */
export async function* pictureStream(options: PictureStreamOptions): AsyncGenerator<PictureInWork> {
  const { data, labels, seed, from } = options
  const dataSet = await openDataSet(data, { labels })
  for (let epoch = from.epoch; ; epoch++) {
    let index = -1
    const random = seededRandom(seedOf(seed, { epoch, index }))
    for await (const item of shuffled(dataSet.items(), random)) {
      index += 1
      if (epoch === from.epoch && index < from.index) continue
      yield { work: trainingPicture(item, { ...options, at: { epoch, index } }) }
    }
    if (index < 0) throw new BlvitError('BAD_DATA', `${dataSet.name} holds no pictures.`)
  }
}
