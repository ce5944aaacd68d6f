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

/** One session, open in several engines: in those that have started, and in each other one once a run comes to it. */
async function sessionInAll(engines: readonly EngineInLane[], request: SessionRequest): Promise<Session> {
  const sessions = new Map<EngineInLane, Promise<Session>>()
  const openIn = (engine: EngineInLane) => {
    const known = sessions.get(engine)
    if (known) return known
    const session = engine.start().then(({ open }) => open(request))
    sessions.set(engine, session)
    // what failed once may go well the next time: memory is free again
    session.catch(() => sessions.delete(engine))
    return session
  }
  await allOf(engines.filter(({ hasStarted }) => hasStarted()).map(openIn), (session) => session.dispose())
  const inEach = async (act: (session: Session) => Promise<void>) => {
    await allOf([...sessions.values()].map((session) => session.then(act)))
  }
  const dispose = () => inEach((session) => session.dispose())
  return {
    run: async (inputs, { lane = 0 } = {}) =>
      (await openIn(defined(engines[lane], `lane ${lane}`))).run(inputs),
    endProfile: () => inEach((session) => session.endProfile()),
    dispose,
    [Symbol.asyncDispose]: dispose,
  }
}

/** The engine of a lane, which starts when it is first needed. */
interface EngineInLane {
  start(): Promise<OrtEngine>
  hasStarted(): boolean
}

function engineInLane(module: EngineModule): EngineInLane {
  let engine: Promise<OrtEngine> | undefined
  const start = () => {
    engine ??= engineInThread(module)
    engine.catch(() => {
      engine = undefined
    })
    return engine
  }
  return { start, hasStarted: () => engine !== undefined }
}

/**
 * ONNX Runtime on several threads, as one engine whose sessions are open on all of them.
 * @param options `atOnce`: how many of them start now, 1 … `count`; each other one starts with its first run
 * @throws as {@link engineInThread}; no thread is left then
 */
export async function enginesInThreads(
  module: EngineModule,
  count: number,
  { atOnce }: { readonly atOnce: number },
): Promise<OrtEngine> {
  const engines = Array.from({ length: count }, () => engineInLane(module))
  const started = engines.slice(0, atOnce).map(({ start }) => start())
  const [first] = await allOf(started, (engine) => engine.rest())
  const rest = async () => {
    const running = engines.filter(({ hasStarted }) => hasStarted())
    await allOf(running.map(async ({ start }) => (await start()).rest()))
  }
  return {
    version: defined(first, 'an engine').version,
    open: (request) => sessionInAll(engines, request),
    rest,
  }
}
