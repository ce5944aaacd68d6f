import { preparedAhead } from '../base/ahead.js'
import { BlvitError, messageAbout } from '../base/blvit-error.js'
import { seededRandom } from '../base/random.js'
import { augmentBatch } from '../image/augment/augment-batch.js'
import { channelsOf } from '../image/preprocessing.js'
import type { BatchThreadOptions, TrainingBatch } from './batches.js'
import { type MadePicture, pictureMaker } from './picture-maker.js'
import { type DataPosition, type PictureTask, pictureStream } from './picture-stream.js'
import { pictureThreads } from './picture-threads.js'

// Enough to keep the decoder's threads busy while a picture is cropped here.
const decodedAhead = 4
// A name decides which thread makes a picture, so some get several in a row while others wait for their turn.
const aheadPerThread = 12

/** A picture in the stream's order, with what its sample says. */
type StreamedPicture = { readonly after: DataPosition; readonly labels: readonly number[] } & (
  | MadePicture
  | { readonly unlabelled: string }
)

/** Finished pictures in the stream's order, a few of them in work at a time. */
async function* streamedPictures(options: BatchThreadOptions): AsyncGenerator<StreamedPicture> {
  const { workers, labelled } = options
  const make = workers > 1 ? pictureThreads(options, workers) : pictureMaker(options)
  const ahead = workers > 1 ? aheadPerThread * workers : decodedAhead
  const streamed = async ({ item, at }: PictureTask): Promise<StreamedPicture> => {
    const after = { epoch: at.epoch, index: at.index + 1 }
    if ('error' in item) return { after, labels: [], complaint: messageAbout(item.name, item.error.message) }
    const { name, source, label } = item
    // of several labels none is an answer too: the picture shows none of the classes
    const labels = labelled === 'several' ? item.labels : label === undefined ? undefined : [label]
    if (labelled && !labels) return { after, labels: [], unlabelled: name }
    return { after, labels: labels ?? [], ...(await make({ sample: { name, source }, at })) }
  }
  yield* preparedAhead(pictureStream(options), streamed, { ahead })
}

/** What was wrong with pictures that were left out; those without a label are counted, there may be thousands. */
class Complaints {
  private readonly messages: string[] = []
  private unlabelled = 0
  private firstUnlabelled = ''

  add(picture: { readonly complaint: string } | { readonly unlabelled: string }): void {
    if ('complaint' in picture) this.messages.push(picture.complaint)
    else if (++this.unlabelled === 1) this.firstUnlabelled = picture.unlabelled
  }

  get all(): readonly string[] {
    if (this.unlabelled === 0) return this.messages
    const others = this.unlabelled === 1 ? ' has' : ` and ${this.unlabelled - 1} more have`
    return [...this.messages, `${this.firstUnlabelled}${others} no label.`]
  }
}

/** Memory for a batch that fills up. */
function newBatch({ batch, preprocessing }: BatchThreadOptions) {
  const { height, width } = preprocessing
  return {
    pixels: new Float32Array(batch * channelsOf(preprocessing) * height * width),
    labels: new Array<readonly number[]>(batch).fill([]),
    complaints: new Complaints(),
    count: 0,
  }
}

/**
 * Batches without end.
 * @throws BlvitError `NOT_FOUND`, `BAD_DATA`: whatever is wrong with the data as a whole
 */
export async function* batchStream(options: BatchThreadOptions): AsyncGenerator<TrainingBatch> {
  const { batch, augmentation, labelled, seed, data } = options
  const { height, width } = options.preprocessing
  const channels = channelsOf(options.preprocessing)
  const classes = options.labels.length
  let filling = newBatch(options)
  let lastSoundEpoch = options.from.epoch
  for await (const picture of streamedPictures(options)) {
    const { after } = picture
    if (!('pixels' in picture)) {
      filling.complaints.add(picture)
      if (after.epoch < lastSoundEpoch + 2) continue
      const { all } = filling.complaints
      throw new BlvitError('BAD_DATA', `Not one picture of ${data.join(', ')} can be used. ${all[0]}`)
    }
    lastSoundEpoch = after.epoch
    filling.pixels.set(picture.pixels, filling.count * channels * height * width)
    filling.labels[filling.count] = picture.labels
    filling.count += 1
    if (filling.count < batch) continue
    const { pixels } = filling
    const labels = labelled ? filling.labels : undefined
    const random = seededRandom(seed, 'batch', after.epoch, after.index)
    const targets = augmentBatch({ pixels, labels, classes, channels, height, width }, augmentation, random)
    yield { pixels, labels, targets, after, complaints: filling.complaints.all }
    filling = newBatch(options)
  }
}
