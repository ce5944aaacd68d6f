import type { Worker, WorkerOptions } from 'node:worker_threads'
import { BlvitError } from '../base/blvit-error.js'
import { Asker, type Protocol, type Response } from '../base/conversation.js'
import { LeftOut } from '../base/left-out.js'

/** Without the flags of the process: `--input-type`, for one, is not for files. */
export const threadOptions: WorkerOptions = { execArgv: [] }

/** Where a bundler has put several files into one, addresses beside it lead nowhere, or are none. */
const leadsNowhere = new Set([
  'ERR_MODULE_NOT_FOUND',
  'MODULE_NOT_FOUND',
  'ERR_INVALID_URL',
  'ERR_INVALID_ARG_TYPE',
])

function asThreadError(name: string, thrown: unknown): Error {
  const { code, message } = thrown as NodeJS.ErrnoException
  if (code !== undefined && leadsNowhere.has(code))
    return new LeftOut(`The file of ${name}`, { cause: thrown })
  if (thrown instanceof BlvitError) return thrown
  return new BlvitError('ENGINE', `${name} has failed: ${message}`, {}, { cause: thrown })
}

/** A thread that answers questions. It keeps the process alive only while it owes an answer. */
export class Thread<P extends Protocol<P>> {
  private readonly worker: Worker
  private isEnding = false
  private readonly asker = new Asker<P>((request) => this.worker.postMessage(request))

  /**
   * @param name for messages, e.g. `"the engine's thread"`
   * @param start makes the worker with {@link threadOptions}, by `new Worker(new URL(…, import.meta.url))` with its
   *   file's name written out: bundlers, our own build among them, look for just that
   * @throws BlvitError {@link LeftOut} here or from the first question
   */
  constructor(name: string, start: () => Worker) {
    try {
      this.worker = start()
    } catch (thrown) {
      throw asThreadError(name, thrown)
    }
    this.worker.unref()
    this.worker.on('message', (response: Response) => this.asker.receive(response))
    this.worker.on('error', (error) => this.asker.fail(asThreadError(name, error)))
    this.worker.on('exit', () => this.asker.fail(new BlvitError('ENGINE', `${name} has ended.`)))
  }

  /** @throws what the thread threw, or BlvitError `ENGINE` if it ended */
  async ask<Q extends keyof P>(question: Q, ask: P[Q]['ask']): Promise<P[Q]['answer']> {
    this.worker.ref()
    try {
      return await this.asker.ask(question, ask)
    } finally {
      if (!this.asker.isWaiting && !this.isEnding) this.worker.unref()
    }
  }

  /** An engine's only between runs: one that is killed during a run takes the process with it. */
  async end(): Promise<void> {
    // kept until it is gone: a process whose last wait is for that would end in the middle of it
    this.isEnding = true
    this.worker.ref()
    await this.worker.terminate()
  }
}
