import { preparedAhead } from '../../base/ahead.js'
import { seededRandom } from '../../base/random.js'
import { takeRandom } from '../../base/take-random.js'
import { laterTurn } from '../../base/turn.js'
import { augmentBatch } from '../../image/augment/augment-batch.js'
import { augmentPicture } from '../../image/augment/augment-picture.js'
import type { Pixels } from '../../image/pixels.js'
import type { ImageDecoder } from '../../image/prepare.js'
import { channelsOf, type Preprocessing } from '../../image/preprocessing.js'
import type { Stage } from '../../recipes/recipe.js'
import type { StageBatch } from '../../stages/step-feed.js'
import type { SeenPicture } from './study-classes.js'

/** Decoded pictures that are kept: of more, some are decoded anew in each epoch. */
const keptBytes = 256_000_000

// the browser decodes on threads of its own while one is cropped here
const decodedAhead = 4

export interface PhotoBatchOptions {
  readonly stage: Stage
  readonly preprocessing: Preprocessing
  readonly classes: number
  readonly decoder: ImageDecoder
  readonly seed: number
}

function keepingDecoder(decoder: ImageDecoder): (picture: SeenPicture) => Promise<Pixels> {
  const kept = new Map<SeenPicture, Pixels>()
  let leftBytes = keptBytes
  return async (picture) => {
    const known = kept.get(picture)
    if (known) return known
    const pixels = await decoder.decode(picture.input)
    if (pixels.values.byteLength <= leftBytes && !kept.has(picture)) {
      kept.set(picture, pixels)
      leftBytes -= pixels.values.byteLength
    }
    return pixels
  }
}

/** The pictures again and again, shuffled anew each time, with their places in that. */
function* shuffledEpochs(pictures: readonly SeenPicture[], seed: number) {
  for (let epoch = 0; ; epoch++) {
    const random = seededRandom(seed, 'order', epoch)
    const held = [...pictures]
    for (let index = 0; held.length > 0; index++) yield { picture: takeRandom(held, random), epoch, index }
  }
}

/**
 * Batches without end of pictures that are there: the same as Node's of the same pictures, in order, crops and targets.
 * @throws BlvitError `BAD_IMAGE`
 */
export async function* photoBatches(
  pictures: readonly SeenPicture[],
  { stage: { batch, augmentation }, preprocessing, classes, decoder, seed }: PhotoBatchOptions,
): AsyncGenerator<StageBatch> {
  const decode = keepingDecoder(decoder)
  const { height, width } = preprocessing
  const channels = channelsOf(preprocessing)
  const size = channels * height * width
  const prepared = preparedAhead(
    shuffledEpochs(pictures, seed),
    async ({ picture, epoch, index }) => {
      const decoded = await decode(picture)
      const random = seededRandom(seed, 'picture', epoch, index)
      const pixels = augmentPicture(decoded, { preprocessing, augmentation }, random)
      return { pixels, label: picture.label, epoch, after: index + 1 }
    },
    { ahead: decodedAhead },
  )
  let pixels = new Float32Array(batch * size)
  let labels: number[][] = []
  for await (const picture of prepared) {
    pixels.set(picture.pixels, labels.length * size)
    labels.push([picture.label])
    if (labels.length < batch) continue
    const random = seededRandom(seed, 'batch', picture.epoch, picture.after)
    const targets = augmentBatch({ pixels, labels, classes, channels, height, width }, augmentation, random)
    // messages are heard between two steps
    await laterTurn()
    yield { pixels, targets }
    pixels = new Float32Array(batch * size)
    labels = []
  }
}
