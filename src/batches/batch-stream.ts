import { preparedAhead } from '../base/ahead.js'
import { BlvitError, messageAbout } from '../base/blvit-error.js'
import { seededRandom } from '../base/random.js'
import { augmentBatch } from '../image/augment/augment-batch.js'
import { channelsOf } from '../image/preprocessing.js'
import type { BatchThreadOptions, TrainingBatch } from './batches.js'
import type { MarkedObjects } from './marked-objects.js'
import { type MadePicture, pictureMaker } from './picture-maker.js'
import { type DataPosition, type PictureTask, pictureStream } from './picture-stream.js'
import { pictureThreads } from './picture-threads.js'
import { promptBatch } from './prompt-batch.js'

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
  const { workers, labelled, masks } = options
  const asksForObjects = masks?.questions !== undefined
  const make = workers > 1 ? pictureThreads(options, workers) : pictureMaker(options)
  const ahead = workers > 1 ? aheadPerThread * workers : decodedAhead
  const streamed = async ({ item, at }: PictureTask): Promise<StreamedPicture> => {
    const after = { epoch: at.epoch, index: at.index + 1 }
    if ('error' in item) return { after, labels: [], complaint: messageAbout(item.name, item.error.message) }
    const { name, source, label, objects } = item
    // of several labels none is an answer too: the picture shows none of the classes
    const labels = labelled === 'several' ? item.labels : label === undefined ? undefined : [label]
    if (labelled && !labels) return { after, labels: [], unlabelled: name }
    if (asksForObjects && !objects?.length) return { after, labels: [], nothing: name }
    return { after, labels: labels ?? [], ...(await make({ sample: { name, source, objects }, at })) }
  }
  yield* preparedAhead(pictureStream(options), streamed, { ahead })
}

/** Why pictures were left out; those that lack something are counted, there may be thousands. */
class Complaints {
  private readonly messages: string[] = []
  private readonly lacking = new Map<string, { readonly first: string; others: number }>()

  add(picture: Exclude<StreamedPicture, { readonly pixels: Float32Array }>): void {
    if ('complaint' in picture) this.messages.push(picture.complaint)
    else if ('unlabelled' in picture) this.count('no label', picture.unlabelled)
    else this.count('no object that could be seen', picture.nothing)
  }

  private count(what: string, name: string): void {
    const known = this.lacking.get(what)
    if (known) known.others += 1
    else this.lacking.set(what, { first: name, others: 0 })
  }

  get all(): readonly string[] {
    const lacking = [...this.lacking].map(
      ([what, { first, others }]) => `${first}${others === 0 ? ' has' : ` and ${others} more have`} ${what}.`,
    )
    return [...this.messages, ...lacking]
  }
}

/** Of a picture as the model takes it. */
function shapeOf({ masks, preprocessing }: BatchThreadOptions) {
  const { height, width } = masks ?? preprocessing
  return { channels: masks ? 3 : channelsOf(preprocessing), height, width }
}

/** Memory for a batch that fills up. */
function newBatch(options: BatchThreadOptions) {
  const { batch } = options
  const { channels, height, width } = shapeOf(options)
  return {
    pixels: new Float32Array(batch * channels * height * width),
    objects: [] as MarkedObjects[],
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
  const { batch, augmentation, labelled, seed, data, masks } = options
  const { channels, height, width } = shapeOf(options)
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
    if (picture.objects) filling.objects.push(picture.objects)
    filling.count += 1
    if (filling.count < batch) continue
    const { pixels } = filling
    const labels = labelled ? filling.labels : undefined
    const random = seededRandom(seed, 'batch', after.epoch, after.index)
    const targets = augmentBatch({ pixels, labels, classes, channels, height, width }, augmentation, random)
    const prompts =
      masks?.questions &&
      promptBatch(filling.objects, masks.questions, seededRandom(seed, 'prompts', after.epoch, after.index))
    yield { pixels, labels, targets, prompts, after, complaints: filling.complaints.all }
    filling = newBatch(options)
  }
}
