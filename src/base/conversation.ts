import { BlvitError, type ErrorCode, messageOf } from './blvit-error.js'

/** What another thread or process can be asked, and what it answers: question → `{ ask, answer }`. */
export type Protocol<P> = { readonly [Q in keyof P]: { readonly ask: unknown; readonly answer: unknown } }

/** A question on its way; its number comes back with the answer. */
export interface Request<P extends Protocol<P>, Q extends keyof P = keyof P> {
  readonly number: number
  readonly question: Q
  readonly ask: P[Q]['ask']
}

export type Response =
  | { readonly number: number; readonly answer: unknown }
  | { readonly number: number; readonly error: { readonly message: string; readonly code?: ErrorCode } }

interface Waiting {
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: Error) => void
}

function errorOf({ code, message }: Extract<Response, { error: unknown }>['error']): Error {
  return code === undefined ? new Error(message) : new BlvitError(code, message)
}

/** The side that asks. */
export class Asker<P extends Protocol<P>> {
  private readonly waiting = new Map<number, Waiting>()
  private asked = 0
  private failure: Error | undefined

  constructor(private readonly send: (request: Request<P>) => void) {}

  /** True while an answer is owed. */
  get isWaiting(): boolean {
    return this.waiting.size > 0
  }

  /** @throws what the other side threw, or what {@link fail} was given */
  ask<Q extends keyof P>(question: Q, ask: P[Q]['ask']): Promise<P[Q]['answer']> {
    if (this.failure) return Promise.reject(this.failure)
    const number = this.asked++
    return new Promise((resolve, reject) => {
      this.waiting.set(number, { resolve, reject })
      try {
        this.send({ number, question, ask })
      } catch (thrown) {
        // what can't be sent, e.g. memory that has moved away, gets no answer
        this.waiting.delete(number)
        throw thrown
      }
    })
  }

  /** Takes what came back. */
  receive(response: Response): void {
    const waiting = this.waiting.get(response.number)
    this.waiting.delete(response.number)
    if ('error' in response) waiting?.reject(errorOf(response.error))
    else waiting?.resolve(response.answer)
  }

  /** Nothing more will come back, to what was asked or will be. The first reason counts. */
  fail(error: Error): void {
    this.failure ??= error
    const given = [...this.waiting.values()]
    this.waiting.clear()
    for (const { reject } of given) reject(error)
  }
}

/** How the other side answers each question. */
export type Answers<P extends Protocol<P>> = {
  readonly [Q in keyof P]: (ask: P[Q]['ask']) => Promise<P[Q]['answer']>
}

/** The side that answers; errors go back as text, because their class doesn't survive the way. */
export async function respond<P extends Protocol<P>, Q extends keyof P>(
  answers: Answers<P>,
  { number, question, ask }: Request<P, Q>,
): Promise<Response> {
  try {
    return { number, answer: await answers[question](ask) }
  } catch (thrown) {
    const code = thrown instanceof BlvitError ? { code: thrown.code } : {}
    return { number, error: { message: messageOf(thrown), ...code } }
  }
}
