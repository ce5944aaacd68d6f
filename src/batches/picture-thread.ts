// One of several threads that make pictures, where one doesn't keep up with the engine.
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../base/assert.js'
import { type Request, respond } from '../base/conversation.js'
import { type MadePicture, type PictureMakerOptions, pictureMaker } from './picture-maker.js'
import type { PictureQuestions } from './picture-threads.js'

assert(parentPort, 'this file runs in a worker')
const port = parentPort
const make = pictureMaker(workerData as PictureMakerOptions)

port.on('message', async (request: Request<PictureQuestions>) => {
  let made: MadePicture | undefined
  const answer = await respond<PictureQuestions, 'make'>(
    {
      make: async (picture) => {
        made = await make(picture)
        return made
      },
    },
    request,
  )
  port.postMessage(answer, made && 'pixels' in made ? [made.pixels.buffer as ArrayBuffer] : [])
})
