import { defined } from '../../../base/assert.js'
import type { OrtEngine, SessionRequest } from '../../engine.js'
import type { Session } from '../../runtime.js'
import { engineInThread } from './engine-thread.js'
import type { EngineModule } from './messages.js'

/** Waits for all of them, also after one has failed. @throws what the first one threw, once `tidy` has seen the others */
async function allOf<T>(
  some: readonly Promise<T>[],
  tidy: (done: T) => Promise<unknown> = async () => {},
): Promise<T[]> {
  const settled = await Promise.allSettled(some)
  const done = settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []))
  const failed = settled.find((one) => one.status === 'rejected')
  if (!failed) return done
  await Promise.all(done.map(tidy))
  throw failed.reason
}

/** One session, open in several engines. */
function sessionInAll(sessions: readonly Session[]): Session {
  const dispose = async () => {
    await allOf(sessions.map((session) => session.dispose()))
  }
  return {
    run: (inputs, { lane = 0 } = {}) => defined(sessions[lane], `lane ${lane}`).run(inputs),
    endProfile: async () => {
      await allOf(sessions.map((session) => session.endProfile()))
    },
    dispose,
    [Symbol.asyncDispose]: dispose,
  }
}

/**
 * ONNX Runtime on several threads, as one engine whose sessions are open on all of them.
 * @throws as {@link engineInThread}; no thread is left then
 */
export async function enginesInThreads(module: EngineModule, count: number): Promise<OrtEngine> {
  const starting = Array.from({ length: count }, () => engineInThread(module))
  const engines = await allOf(starting, (engine) => engine.rest())
  const open = async (request: SessionRequest) =>
    sessionInAll(
      await allOf(
        engines.map((engine) => engine.open(request)),
        (session) => session.dispose(),
      ),
    )
  const rest = async () => {
    await allOf(engines.map((engine) => engine.rest()))
  }
  return { version: defined(engines[0], 'an engine').version, open, rest }
}
