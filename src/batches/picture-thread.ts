// One of several threads that make pictures, where one doesn't keep up with the engine.
import { workerData } from 'node:worker_threads'
import { answerQuestions } from '../threads/answer.js'
import { type PictureMakerOptions, pictureMaker } from './picture-maker.js'
import type { PictureQuestions } from './picture-threads.js'

answerQuestions<PictureQuestions>(
  { make: pictureMaker(workerData as PictureMakerOptions) },
  { make: (made) => ('pixels' in made ? [made.pixels.buffer] : []) },
)
