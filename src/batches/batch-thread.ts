// The data's own thread: a training step blocks the thread that runs it, and pictures are cropped meanwhile.
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../base/assert.js'
import { BlvitError, messageOf } from '../base/blvit-error.js'
import { batchStream } from './batch-stream.js'
import type { BatchMessage, BatchThreadOptions, TrainingBatch } from './batches.js'

assert(parentPort, 'this file runs in a worker')
const port = parentPort
const batches = batchStream(workerData as BatchThreadOptions)
let sending: Promise<void> = Promise.resolve()

/** What goes to the other thread without a copy. */
function memoryOf({ pixels, targets, labels }: TrainingBatch): ArrayBuffer[] {
  return [pixels, targets, labels].flatMap((array) => (array ? [array.buffer as ArrayBuffer] : []))
}

async function sendOne(): Promise<void> {
  try {
    const { value } = await batches.next()
    assert(value, 'batches without end')
    port.postMessage(value satisfies BatchMessage, memoryOf(value))
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
