import { Worker } from 'node:worker_threads'
import { Asker, type Protocol, type Response } from '../base/conversation.js'

/** A thread that answers questions. @param file what it runs @param data what it begins with, as its `workerData` */
export function startThread<P extends Protocol<P>>(
  file: URL,
  data: unknown,
): { asker: Asker<P>; worker: Worker } {
  // without the flags of the process: --input-type, for one, is not for files
  const worker = new Worker(file, { workerData: data, execArgv: [] })
  const asker = new Asker<P>((request) => worker.postMessage(request))
  worker.on('message', (response: Response) => asker.receive(response))
  worker.on('error', (error) => asker.fail(error))
  return { asker, worker }
}
