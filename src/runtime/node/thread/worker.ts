// The engine's own thread: ONNX Runtime blocks the thread that calls it, so that had better not be the caller's.
import { parentPort } from 'node:worker_threads'
import { defined } from '../../../base/assert.js'
import { type Answers, type Request, type Response, respond } from '../../../base/conversation.js'
import { engineHere, type OrtEngine } from '../../engine.js'
import type { Session } from '../../runtime.js'
import type { Questions } from './messages.js'

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

const answers: Answers<Questions> = {
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

/** Memory that need not be copied on its way back: nobody here uses it any more. */
function givenAway({ question }: Request<Questions>, response: Response): ArrayBuffer[] {
  if (question !== 'run' || 'error' in response) return []
  const outputs = Object.values(response.answer as Questions['run']['answer'])
  return [...new Set(outputs.map(({ values }) => values.buffer))].filter(
    (buffer): buffer is ArrayBuffer => buffer instanceof ArrayBuffer,
  )
}

parentPort?.on('message', async (request: Request<Questions>) => {
  const response = await respond(answers, request)
  parentPort?.postMessage(response, givenAway(request, response))
})
