import { Worker } from 'node:worker_threads'
import { BlvitError } from '../../../base/blvit-error.js'
import { Thread, threadOptions } from '../../../threads/thread.js'
import type { OrtEngine, SessionRequest } from '../../engine.js'
import type { Session } from '../../runtime.js'
import { withoutTelemetry } from '../telemetry.js'
import type { EngineModule, Questions } from './messages.js'

type EngineThread = Thread<Questions>

/** A session that lives in the thread. */
function threadSession(
  thread: EngineThread,
  session: number,
  { whenDisposed }: { whenDisposed: () => Promise<void> },
): Session {
  let disposed: Promise<void> | undefined
  const dispose = () => {
    // a thread that has ended has freed it: the next session starts a new one
    disposed ??= thread.ask('dispose', { session }).then(whenDisposed, whenDisposed)
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

/** A thread with its engine, and the end of what it does before anyone asks it to. */
interface StartedThread {
  readonly thread: EngineThread
  readonly version: string
  readonly settled: Promise<unknown>
}

/** @throws Error where the module can't be loaded; no thread is left then */
async function start(module: EngineModule): Promise<StartedThread> {
  // here: the engine's own thread has only a copy of the environment
  if (module === 'onnxruntime-node') await withoutTelemetry()
  const thread: EngineThread = new Thread(
    "the engine's thread",
    () => new Worker(new URL('./worker.js', import.meta.url), threadOptions),
  )
  try {
    const { version } = await thread.ask('load', { module })
    // should it fail, so will the next session, and tell why
    const settled =
      module === 'onnxruntime-node' ? thread.ask('openFirst', undefined).catch(() => {}) : Promise.resolve()
    return { thread, version, settled }
  } catch (thrown) {
    await thread.end()
    throw thrown
  }
}

/**
 * ONNX Runtime on a thread of its own, so that the caller's event loop goes on during runs. The thread starts
 * here, ends with its last session and starts anew with the next one.
 * @throws Error where the module is not installed or can't be loaded on this system
 */
export async function engineInThread(module: EngineModule): Promise<OrtEngine> {
  let sessions = 0
  let started: ReturnType<typeof start> | undefined = start(module)
  const { version } = await started
  const rest = async () => {
    if (sessions > 0) return
    const last = started
    started = undefined
    // one that couldn't start has told whoever asked, and has ended
    await last?.then(
      async ({ thread, settled }) => {
        // a thread that is ended while it opens a session takes the process with it
        await settled
        await thread.end()
      },
      () => {},
    )
  }
  const leave = async () => {
    sessions -= 1
    await rest()
  }
  const open = async (request: SessionRequest) => {
    sessions += 1
    try {
      started ??= start(module)
      const { thread } = await started
      const { session } = await thread.ask('open', request)
      return threadSession(thread, session, { whenDisposed: leave })
    } catch (thrown) {
      await leave()
      throw thrown
    }
  }
  return { version, open, rest }
}
