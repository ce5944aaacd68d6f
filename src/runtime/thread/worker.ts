// The engine's own thread: ONNX Runtime blocks the thread that calls it, so that had better not be the caller's.
import { parentPort } from 'node:worker_threads'
import { assert, defined } from '../../errors/assert.js'
import { BlvitError, messageOf } from '../../errors/blvit-error.js'
import { engineHere, type OrtEngine } from '../engine.js'
import type { Session } from '../runtime.js'
import type { Question, Questions, Request, Response } from './messages.js'

const modules = {
  'onnxruntime-node': () => import('onnxruntime-node'),
  'onnxruntime-web': () => import('onnxruntime-web'),
} as const

const sessions = new Map<number, Session>()
let opened = 0
let engine: OrtEngine | undefined

function sessionOf(number: number): Session {
  return defined(sessions.get(number), 'an open session')
}

const answers: { [Q in Question]: (ask: Questions[Q]['ask']) => Promise<Questions[Q]['answer']> } = {
  load: async ({ module }) => {
    engine = engineHere(await modules[module]())
    return { version: engine.version }
  },
  open: async (request) => {
    const number = opened++
    sessions.set(number, await defined(engine, 'a loaded engine').open(request))
    return { session: number }
  },
  run: ({ session, inputs }) => sessionOf(session).run(inputs),
  endProfile: async ({ session }) => {
    await sessionOf(session).endProfile()
    return undefined
  },
  dispose: async ({ session }) => {
    await sessionOf(session).dispose()
    sessions.delete(session)
    return undefined
  },
}

/** Memory that an answer need not copy: nobody here uses it any more. */
function givenAway(question: Question, answer: unknown): ArrayBuffer[] {
  if (question !== 'run') return []
  const outputs = Object.values(answer as Questions['run']['answer'])
  return [...new Set(outputs.map(({ values }) => values.buffer))].filter(
    (buffer): buffer is ArrayBuffer => buffer instanceof ArrayBuffer,
  )
}

async function answer<Q extends Question>({ number, question, ask }: Request<Q>): Promise<void> {
  assert(parentPort, 'this file runs in a worker')
  const post = (response: Response, transfer: ArrayBuffer[] = []) =>
    parentPort?.postMessage(response, transfer)
  try {
    const found = await answers[question](ask)
    post({ number, answer: found }, givenAway(question, found))
  } catch (thrown) {
    // The class of an error doesn't survive the way to another thread.
    const code = thrown instanceof BlvitError ? { code: thrown.code } : {}
    post({ number, error: { message: messageOf(thrown), ...code } })
  }
}

parentPort?.on('message', answer)
