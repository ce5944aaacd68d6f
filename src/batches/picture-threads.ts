import { Worker } from 'node:worker_threads'
import { defined } from '../base/assert.js'
import { hashOfText } from '../base/hash.js'
import { Thread, threadOptions } from '../threads/thread.js'
import type { MadePicture, PictureMakerOptions, PictureToMake } from './picture-maker.js'

/** What a thread that makes pictures can be asked. */
export type PictureQuestions = {
  readonly make: { readonly ask: PictureToMake; readonly answer: MadePicture }
}

/** Always the same thread for a name, so that small pictures are decoded once and kept in one place. */
function placeOf(name: string, threads: number): number {
  const [word] = hashOfText(name)
  return word % threads
}

/** A {@link pictureMaker} on so many threads. They end with the thread that started them. */
export function pictureThreads(
  options: PictureMakerOptions,
  count: number,
): (picture: PictureToMake) => Promise<MadePicture> {
  const start = () =>
    new Worker(new URL('./picture-thread.js', import.meta.url), { ...threadOptions, workerData: options })
  const threads = Array.from(
    { length: count },
    () => new Thread<PictureQuestions>('a thread that makes pictures', start),
  )
  return (picture) => {
    const thread = defined(threads[placeOf(picture.sample.name, count)], 'a thread')
    return thread.ask('make', picture)
  }
}
