import { Worker } from 'node:worker_threads'
import { defined } from '../base/assert.js'
import { Asker, type Response } from '../base/conversation.js'
import { hashOfText } from '../base/hash.js'
import type { MadePicture, PictureMakerOptions, PictureToMake } from './picture-maker.js'

/** What a thread that makes pictures can be asked. */
export type PictureQuestions = {
  readonly make: { readonly ask: PictureToMake; readonly answer: MadePicture }
}

// By way of the package's root, so that tests of the sources find the built file too: Node runs no TypeScript.
const threadFile = new URL('../../dist/batches/picture-thread.js', import.meta.url)

function startThread(options: PictureMakerOptions): Asker<PictureQuestions> {
  const worker = new Worker(threadFile, { workerData: options, execArgv: [] })
  const asker = new Asker<PictureQuestions>((request) => worker.postMessage(request))
  worker.on('message', (response: Response) => asker.receive(response))
  worker.on('error', (error) => asker.fail(error))
  return asker
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
  const threads = Array.from({ length: count }, () => startThread(options))
  return (picture) => {
    const thread = defined(threads[placeOf(picture.sample.name, count)], 'a thread')
    return thread.ask('make', picture)
  }
}
