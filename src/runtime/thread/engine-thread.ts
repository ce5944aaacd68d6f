import { Worker } from 'node:worker_threads'
import { BlvitError } from '../../errors/blvit-error.js'
import type { OrtEngine, SessionRequest } from '../engine.js'
import type { Session } from '../runtime.js'
import { Asker, type Response } from './conversation.js'
import type { EngineModule, Questions } from './messages.js'

// By way of the package's root, so that tests of the sources find the built file too: Node runs no TypeScript.
const workerFile = new URL('../../../dist/runtime/thread/worker.js', import.meta.url)

/** A thread that runs one build of ONNX Runtime. It keeps the process alive only while it owes an answer. */
class EngineThread {
  // without the flags of the process: --input-type, for one, is not for files
  private readonly worker = new Worker(workerFile, { execArgv: [] })
  private readonly asker = new Asker<Questions>((request) => this.worker.postMessage(request))

  constructor() {
    this.worker.unref()
    this.worker.on('message', (response: Response) => this.asker.receive(response))
    this.worker.on('error', (error) => this.asker.fail(error))
    this.worker.on('exit', () => this.asker.fail(new BlvitError('ENGINE', "The engine's thread has ended.")))
  }

  async ask<Q extends keyof Questions>(
    question: Q,
    ask: Questions[Q]['ask'],
  ): Promise<Questions[Q]['answer']> {
    this.worker.ref()
    try {
      return await this.asker.ask(question, ask)
    } finally {
      if (!this.asker.isWaiting) this.worker.unref()
    }
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
  const rest = async () => {
    if (sessions > 0) return
    const last = thread
    thread = undefined
    await last?.end()
  }
  const leave = async () => {
    sessions -= 1
    await rest()
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
  return { version, open, rest }
}
