// The data's own thread: a training step blocks the thread that runs it, and pictures are cropped meanwhile.
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../../errors/assert.js'
import { BlvitError, messageOf } from '../../errors/blvit-error.js'
import type { BatchMessage, BatchOptions } from './batches.js'
import { type PictureInWork, pictureStream, type TrainingPicture } from './picture-stream.js'

// Enough to keep the decoder's threads busy while a picture is cropped here.
const decodedAhead = 4

/** Finished pictures in the stream's order, a few of them in work at a time. */
async function* finished(stream: AsyncIterable<PictureInWork>): AsyncGenerator<TrainingPicture> {
  const inWork: Promise<TrainingPicture>[] = []
  for await (const { work } of stream) {
    // awaited in its turn; without this a failure before that would count as unhandled
    work.catch(() => {})
    inWork.push(work)
    const first = inWork.length > decodedAhead ? inWork.shift() : undefined
    if (first) yield await first
  }
}

/** Batches without end. */
async function* batchesOf({
  batch,
  ...options
}: BatchOptions): AsyncGenerator<BatchMessage & { pixels: Float32Array }> {
  const { height, width } = options.preprocessing
  const size = 3 * height * width
  let pixels = new Float32Array(batch * size)
  let count = 0
  let complaints: string[] = []
  let lastSoundEpoch = options.from.epoch
  for await (const picture of finished(pictureStream(options))) {
    if ('complaint' in picture) {
      complaints.push(picture.complaint)
      if (picture.after.epoch < lastSoundEpoch + 2) continue
      const message = `Not one picture of ${options.data.join(', ')} can be used. ${complaints[0]}`
      throw new BlvitError('BAD_DATA', message, { pictures: complaints.length })
    }
    lastSoundEpoch = picture.after.epoch
    pixels.set(picture.pixels, count * size)
    count += 1
    if (count < batch) continue
    yield { pixels, after: picture.after, complaints }
    pixels = new Float32Array(batch * size)
    count = 0
    complaints = []
  }
}

assert(parentPort, 'this file runs in a worker')
const port = parentPort
const batches = batchesOf(workerData as BatchOptions)
let sending: Promise<void> = Promise.resolve()

async function sendOne(): Promise<void> {
  try {
    const { value } = await batches.next()
    assert(value, 'batches without end')
    port.postMessage(value satisfies BatchMessage, [value.pixels.buffer as ArrayBuffer])
  } catch (thrown) {
    // The class of an error doesn't survive the way to another thread.
    const code = thrown instanceof BlvitError ? { code: thrown.code } : {}
    port.postMessage({ error: { message: messageOf(thrown), ...code } } satisfies BatchMessage)
  }
}

// Each message asks for one more batch.
port.on('message', () => {
  sending = sending.then(sendOne)
})
