// The engine's own thread: ONNX Runtime blocks the thread that calls it, so that had better not be the caller's.
import { defined } from '../../../base/assert.js'
import type { Answers } from '../../../base/conversation.js'
import { answerQuestions } from '../../../threads/answer.js'
import { engineHere, type OrtEngine } from '../../engine.js'
import type { Session } from '../../runtime.js'
import { openFirstSession } from './first-session.js'
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
  openFirst: async () => {
    await openFirstSession((await modules['onnxruntime-node']()).InferenceSession)
    return undefined
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

answerQuestions<Questions>(answers, {
  run: (outputs) => Object.values(outputs).map(({ values }) => values.buffer),
})
