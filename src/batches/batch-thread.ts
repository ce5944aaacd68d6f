// The data's own thread: a training step blocks the thread that runs it, and pictures are cropped meanwhile.
import { workerData } from 'node:worker_threads'
import { defined } from '../base/assert.js'
import { answerQuestions } from '../threads/answer.js'
import { batchStream } from './batch-stream.js'
import type { BatchQuestions, BatchThreadOptions } from './batches.js'

const batches = batchStream(workerData as BatchThreadOptions)

answerQuestions<BatchQuestions>(
  // a stream takes one question after the other
  { next: async () => defined((await batches.next()).value, 'batches without end') },
  {
    next: ({ pixels, targets, prompts }) =>
      [pixels, targets, prompts?.masks].flatMap((array) => (array ? [array.buffer] : [])),
  },
)
