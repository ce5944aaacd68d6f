/** What a thread can be asked, by name. */
export type Calls = Readonly<Record<string, (argument: never, context: CallContext) => Promise<unknown>>>

/** What a call is given beside its argument. */
export interface CallContext {
  readonly signal: AbortSignal
  readonly onProgress: (progress: unknown) => void
}

type ArgumentOf<Call> = Call extends (argument: infer Argument, ...others: never[]) => unknown
  ? Argument
  : never
type AnswerOf<Call> = Call extends (...all: never[]) => Promise<infer Answer> ? Answer : never

export interface CallOptions {
  /** The call ends as `ABORTED` at once; what the thread is doing ends at its next step. */
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: unknown) => void) | undefined
}

type Request =
  | { readonly id: number; readonly name: string; readonly argument: unknown }
  | { readonly id: number; readonly abort: true }

type Reply =
  | { readonly id: number; readonly progress: unknown }
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly failure: { readonly code: string; readonly message: string } }

/** What a call ended with in the other thread: its message is for people. */
class CallError extends Error {
  override readonly name = 'CallError'

  constructor(
    /** Of a `BlvitError`; `BUG` for anything else. */
    readonly code: string,
    message: string,
  ) {
    super(message)
  }
}

/** Whether a call ended because its caller wanted it so: nothing to tell anybody. */
export function isAborted(thrown: unknown): boolean {
  return thrown instanceof CallError && thrown.code === 'ABORTED'
}

/** Whether a call ended for want of a connection: it may go well the next time. */
export function isOffline(thrown: unknown): boolean {
  return thrown instanceof CallError && thrown.code === 'OFFLINE'
}

function failureOf(thrown: unknown): { code: string; message: string } {
  const { code, message } = thrown as { code?: unknown; message?: unknown }
  return { code: typeof code === 'string' ? code : 'BUG', message: String(message ?? thrown) }
}

/** Answers the calls of a page, in a worker. */
export function serve(calls: Calls): void {
  const running = new Map<number, AbortController>()
  const reply = (message: Reply) => postMessage(message)
  addEventListener('message', async ({ data }: MessageEvent<Request>) => {
    const { id } = data
    if ('abort' in data) return running.get(id)?.abort()
    const call = calls[data.name] as
      | ((argument: unknown, context: CallContext) => Promise<unknown>)
      | undefined
    const controller = new AbortController()
    running.set(id, controller)
    try {
      if (!call) throw new Error(`There is no call ${data.name}.`)
      const onProgress = (progress: unknown) => reply({ id, progress })
      reply({ id, answer: await call(data.argument, { signal: controller.signal, onProgress }) })
    } catch (thrown) {
      reply({ id, failure: failureOf(thrown) })
    } finally {
      running.delete(id)
    }
  })
}

/** A worker that serves some calls. */
export interface Thread<Served> {
  /** @throws CallError */
  call<Name extends keyof Served & string>(
    name: Name,
    argument: ArgumentOf<Served[Name]>,
    options?: CallOptions,
  ): Promise<AnswerOf<Served[Name]>>
}

interface Waiting {
  readonly resolve: (answer: never) => void
  readonly reject: (thrown: CallError) => void
  readonly onProgress: CallOptions['onProgress']
}

/**
 * @param start starts the worker; called at the first call, so that a page can be read before its engine is
 * @param isNews takes what is told for the whole page, whoever asked; everything else is for the caller
 */
export function connect<Served>(
  start: () => Promise<Worker>,
  isNews: (progress: unknown) => boolean,
): Thread<Served> {
  const waiting = new Map<number, Waiting>()
  let last = 0
  const failAll = (message: string) => {
    for (const { reject } of waiting.values()) reject(new CallError('BUG', message))
    waiting.clear()
  }
  const listen = (worker: Worker): Worker => {
    worker.addEventListener('message', ({ data }: MessageEvent<Reply>) => {
      const call = waiting.get(data.id)
      if (!call) return
      if ('progress' in data) return isNews(data.progress) ? undefined : call.onProgress?.(data.progress)
      waiting.delete(data.id)
      if ('failure' in data) call.reject(new CallError(data.failure.code, data.failure.message))
      else call.resolve(data.answer as never)
    })
    worker.addEventListener('error', ({ message }) =>
      failAll(
        `The engine's thread can't run (${message || 'its file could not be read'}). Load the page again.`,
      ),
    )
    return worker
  }
  let started: Promise<Worker> | undefined
  return {
    call: async (name, argument, { signal, onProgress } = {}) => {
      started ??= start().then(listen)
      const worker = await started
      const id = ++last
      return new Promise((resolve, reject) => {
        const abort = () => {
          if (!waiting.delete(id)) return
          worker.postMessage({ id, abort: true } satisfies Request)
          reject(new CallError('ABORTED', 'Stopped.'))
        }
        waiting.set(id, { resolve, reject, onProgress })
        if (signal?.aborted) return abort()
        signal?.addEventListener('abort', abort, { once: true })
        worker.postMessage({ id, name, argument } satisfies Request)
      })
    },
  }
}
