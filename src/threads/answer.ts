import { parentPort } from 'node:worker_threads'
import { assert } from '../base/assert.js'
import { type Answers, type Protocol, type Request, respond } from '../base/conversation.js'

/** Memory of an answer that nobody here uses any more: it moves to the other thread, the rest is copied. */
export type Moves<P extends Protocol<P>> = {
  readonly [Q in keyof P]?: (answer: P[Q]['answer']) => readonly ArrayBufferLike[]
}

/** Answers the questions of the thread that started this one, as they come. */
export function answerQuestions<P extends Protocol<P>>(answers: Answers<P>, moves: Moves<P> = {}): void {
  assert(parentPort, 'this file runs in a worker')
  const port = parentPort
  port.on('message', async (request: Request<P>) => {
    const response = await respond(answers, request)
    const memory = 'error' in response ? [] : (moves[request.question]?.(response.answer) ?? [])
    // what threads share can't move, and need not
    const movable = memory.filter((buffer): buffer is ArrayBuffer => buffer instanceof ArrayBuffer)
    port.postMessage(response, [...new Set(movable)])
  })
}
