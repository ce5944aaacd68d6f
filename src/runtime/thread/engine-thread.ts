import { Worker } from 'node:worker_threads'
import { BlvitError } from '../../errors/blvit-error.js'
import type { OrtEngine, SessionRequest } from '../engine.js'
import type { Session } from '../runtime.js'
import type { EngineModule, Question, Questions, Request, Response } from './messages.js'

function errorOf({ code, message }: Extract<Response, { error: unknown }>['error']): Error {
  return code === undefined ? new Error(message) : new BlvitError(code, message)
}

interface Waiting {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: unknown) => void
}

// By way of the package's root, so that tests of the sources find the built file too: Node runs no TypeScript.
const workerFile = new URL('../../../dist/runtime/thread/worker.js', import.meta.url)

/** A thread that runs one build of ONNX Runtime. It keeps the process alive only while it owes an answer. */
class EngineThread {
  // without the flags of the process: --input-type, for one, is not for files
  private readonly worker = new Worker(workerFile, { execArgv: [] })
  private readonly waiting = new Map<number, Waiting>()
  private asked = 0

  constructor() {
    this.worker.unref()
    this.worker.on('message', (response: Response) => {
      const waiting = this.waiting.get(response.number)
      this.settle(response.number)
      if ('error' in response) waiting?.reject(errorOf(response.error))
      else waiting?.resolve(response.answer)
    })
    this.worker.on('error', (error) => this.fail(error))
    this.worker.on('exit', () => this.fail(new BlvitError('ENGINE', "The engine's thread has ended.")))
  }

  private settle(number: number): void {
    this.waiting.delete(number)
    if (this.waiting.size === 0) this.worker.unref()
  }

  private fail(error: unknown): void {
    for (const [number, { reject }] of [...this.waiting]) {
      this.settle(number)
      reject(error)
    }
  }

  ask<Q extends Question>(question: Q, ask: Questions[Q]['ask']): Promise<Questions[Q]['answer']> {
    const request: Request<Q> = { number: this.asked++, question, ask }
    this.worker.ref()
    return new Promise((resolve, reject) => {
      this.waiting.set(request.number, { resolve: resolve as Waiting['resolve'], reject })
      this.worker.postMessage(request)
    })
  }

  /** Only between runs: a thread that is killed during one takes the process with it. */
  async end(): Promise<void> {
    await this.worker.terminate()
  }
}

/** A session that lives in the thread. */
function threadSession(
  thread: EngineThread,
  session: number,
  { whenDisposed }: { whenDisposed: () => Promise<void> },
): Session {
  let disposed: Promise<void> | undefined
  const dispose = () => {
    disposed ??= thread.ask('dispose', { session }).then(whenDisposed)
    return disposed
  }
  return {
    // Outputs can't be written into memory of another thread: whoever wants that keeps the engine on his own.
    run: async (inputs) => {
      if (disposed) throw new BlvitError('ENGINE', 'This model was disposed. Load it again to use it.')
      return thread.ask('run', { session, inputs })
    },
    endProfile: async () => {
      await thread.ask('endProfile', { session })
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  }
}

/**
 * ONNX Runtime on a thread of its own, so that the caller's event loop goes on during runs. The thread starts
 * here, ends with its last session and starts anew with the next one.
 * @throws Error where the module is not installed or can't be loaded on this system
 */
export async function engineInThread(module: EngineModule): Promise<OrtEngine> {
  let sessions = 0
  let thread: EngineThread | undefined = new EngineThread()
  const { version } = await thread.ask('load', { module })
  const started = async () => {
    if (thread) return thread
    thread = new EngineThread()
    await thread.ask('load', { module })
    return thread
  }
  const leave = async () => {
    sessions -= 1
    if (sessions > 0) return
    const last = thread
    thread = undefined
    await last?.end()
  }
  const open = async (request: SessionRequest) => {
    sessions += 1
    const here = await started()
    try {
      const { session } = await here.ask('open', request)
      return threadSession(here, session, { whenDisposed: leave })
    } catch (thrown) {
      await leave()
      throw thrown
    }
  }
  return { version, open }
}
