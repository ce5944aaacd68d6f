// The data's own thread: a training step blocks the thread that runs it, and pictures are cropped meanwhile.
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../base/assert.js'
import { type Answers, type Request, respond } from '../base/conversation.js'
import { batchStream } from './batch-stream.js'
import type { BatchQuestions, BatchThreadOptions, TrainingBatch } from './batches.js'

assert(parentPort, 'this file runs in a worker')
const port = parentPort
const batches = batchStream(workerData as BatchThreadOptions)

/** What goes to the other thread without a copy. */
let given: ArrayBuffer[] = []

function memoryOf({ pixels, targets, labels }: TrainingBatch): ArrayBuffer[] {
  return [pixels, targets, labels].flatMap((array) => (array ? [array.buffer as ArrayBuffer] : []))
}

const answers: Answers<BatchQuestions> = {
  next: async () => {
    const { value } = await batches.next()
    assert(value, 'batches without end')
    given = memoryOf(value)
    return value
  },
}

// A stream gives one batch after the other.
let answering: Promise<void> = Promise.resolve()
port.on('message', (request: Request<BatchQuestions>) => {
  answering = answering.then(async () => {
    given = []
    const response = await respond(answers, request)
    port.postMessage(response, given)
  })
})
